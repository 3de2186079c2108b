/** The paths on which a model answers, each recorded; with `X-Preload-Only` each only loads the model. */
import type { RunnerMode } from '#lib/engine/port.ts';
import type { RequestMode } from '#lib/model/wire-requests.ts';
import { recorded } from '#lib/runner/recorder/recorded.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { chatCompletions } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { isPreload, preload, type GenerationPorts } from './generation.ts';
import { rerank } from './rerank.ts';

export interface GenerationRoutesPorts extends GenerationPorts {
  readonly recorder: Recorder;
}

type Handler = (call: Call, recording: Recording, ports: GenerationPorts) => Promise<Response>;

interface Endpoint {
  readonly paths: readonly string[];
  readonly kind: RequestMode;
  readonly mode: RunnerMode;
  readonly handle: Handler;
}

/** Docker Model Runner ranks outside of `/v1`, everybody else inside. */
const rankingPaths = ['/engines/v1', '/engines', '/engines/llama.cpp', '/engines/webllm', ''].flatMap(
  (base) => [`${base}/rerank`, `${base}/score`],
);

const endpoints: readonly Endpoint[] = [
  { paths: ['/engines/v1/chat/completions'], kind: 'chat', mode: 'completion', handle: chatCompletions },
  { paths: ['/engines/v1/completions'], kind: 'completion', mode: 'completion', handle: completions },
  { paths: ['/engines/v1/embeddings'], kind: 'embedding', mode: 'embedding', handle: embeddings },
  { paths: rankingPaths, kind: 'rerank', mode: 'reranking', handle: rerank },
];

export function generationRoutes(ports: GenerationRoutesPorts): readonly Route[] {
  return endpoints.flatMap(({ paths, kind, mode, handle }) => {
    const answer = recorded(
      ports.recorder,
      kind,
      (call, recording) => handle(call, recording, ports),
      ports.onError,
    );
    const either = (call: Call) => (isPreload(call) ? preload(call, ports, mode) : answer(call));
    return paths.map((pattern): Route => ({ method: 'POST', pattern, handle: either }));
  });
}
