/** A small runner around the recorder: the real scheduler, a scripted engine, one recorded chat endpoint. */
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { ScriptedEngine, type ScriptedOptions } from '#lib/engine/scripted.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import { ChatWriter } from '#lib/openai/chat-writer.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { sseData, sseDone, sseHeaders } from '#lib/openai/sse.ts';
import { logRoutes } from '#lib/runner/endpoints/logs.ts';
import { metricsRoutes } from '#lib/runner/endpoints/metrics.ts';
import { requestRoutes } from '#lib/runner/endpoints/requests.ts';
import { json, streamed } from '#lib/runner/endpoints/respond.ts';
import { Log } from '#lib/runner/log/log.ts';
import { logRequests } from '#lib/runner/log/request-lines.ts';
import { Router, type Call } from '#lib/runner/router.ts';
import { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import { MemoryLogLines } from '#lib/store/memory/log-lines.ts';
import { MemoryRequests } from '#lib/store/memory/requests.ts';
import { recorded } from '#lib/runner/recorder/recorded.ts';
import { Recorder } from '#lib/runner/recorder/recorder.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import { runRecorded } from '#lib/runner/recorder/turn.ts';

export const chatPath = '/v1/chat/completions';
export const modelId: Digest = `sha256:${'a'.repeat(64)}`;
const names = ['ai/tiny', 'docker.io/ai/tiny:latest', modelId];

export interface BenchOptions extends ScriptedOptions {
  readonly requests?: MemoryRequests;
  readonly lines?: MemoryLogLines;
  /** How long after other benches on the same stores. */
  readonly laterMs?: number;
}

export class MemorySettings {
  saved: unknown;

  load(): Promise<unknown> {
    return Promise.resolve(this.saved);
  }

  save(settings: unknown): Promise<void> {
    this.saved = settings;
    return Promise.resolve();
  }
}

export async function makeRecorderBench(options: BenchOptions = {}) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1) + (options.laterMs ?? 0));
  const failures: unknown[] = [];
  const [requests, lines] = [options.requests ?? new MemoryRequests(), options.lines ?? new MemoryLogLines()];
  const scheduler = new Scheduler({ engines: [new ScriptedEngine(options)], clock });
  const log = new Log({
    clock,
    store: lines,
    answering: () => scheduler.residents.some(({ state }) => state === 'busy'),
  });
  const onError = (thrown: unknown) => {
    failures.push(thrown);
    log.failure('runner', thrown);
  };
  const recorder = new Recorder({
    store: requests,
    settings: new MemorySettings(),
    clock,
    random: () => 0.5,
    onError,
  });
  await recorder.start();
  await log.start();
  logRequests(recorder, log);
  const library = { getLenient: (name: string) => find(name) };
  const chat = (call: Call, recording: Recording) => answer(call, recording, { scheduler, clock });
  const router: Router = new Router([
    {
      method: 'POST',
      pattern: '/engines/v1/chat/completions',
      handle: recorded(recorder, 'chat', chat, onError),
    },
    ...requestRoutes({ recorder, library, send: (request) => handle(request), version: '0.0.0-test' }),
    ...logRoutes(log),
    ...metricsRoutes({ recorder, scheduler }),
  ]);
  const handle = async (request: Request): Promise<Response> => {
    try {
      return await router.handle(request);
    } catch (thrown) {
      return toApiError(thrown).toResponse();
    }
  };
  /** A body makes it a POST. */
  const call = (path: string, body?: unknown, init: RequestInit = {}) =>
    handle(
      new Request(`http://localhost${path}`, {
        ...(body !== undefined && {
          method: 'POST',
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
        ...init,
      }),
    );
  return { clock, recorder, scheduler, log, requests, lines, failures, call };
}

function find(name: string): Promise<IndexedModel> {
  return names.includes(name)
    ? Promise.resolve({
        id: modelId,
        manifest: new Uint8Array(),
        config: new Uint8Array(),
        tags: ['docker.io/ai/tiny:latest'],
        addedAtMs: 0,
      })
    : Promise.reject(new ApiError('model_not_found', `There is no model “${name}”.`));
}

interface ChatPorts {
  readonly scheduler: Scheduler;
  readonly clock: ManualClock;
}

async function answer(call: Call, recording: Recording, ports: ChatPorts): Promise<Response> {
  const body = await call.json();
  recording.asked(body);
  const request = parseChatRequest(body);
  const left = new AbortController();
  const events = generate(request, recording, ports, AbortSignal.any([call.request.signal, left.signal]));
  const first = await events.next();
  const writer = new ChatWriter(request, ports.clock.now());
  if (!request.stream) {
    for (let result = first; !result.done; result = await events.next()) writer.add(result.value);
    return json(writer.completion());
  }
  return streamed(frames(writer, first, events), {
    headers: sseHeaders,
    onCancel: () => left.abort(),
    onError: (thrown) => sseData(toApiError(thrown)),
  });
}

async function* generate(
  request: ChatRequest,
  recording: Recording,
  { scheduler }: ChatPorts,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { id } = await find(request.model);
  const wanted = {
    id,
    name: 'ai/tiny',
    mode: 'completion' as const,
    sizeBytes: 1,
    config: { contextSize: 64 },
    open: () => Promise.resolve({ kind: 'gguf', id, weights: [] } as const),
  };
  const { messages: _messages, ...parameters } = request;
  yield* runRecorded({ scheduler, recording }, { wanted, parameters, signal }, (model) =>
    recording.observe(model.chat(request, signal)),
  );
}

async function* frames(
  writer: ChatWriter,
  first: IteratorResult<ChatEvent, void>,
  rest: AsyncGenerator<ChatEvent, void, undefined>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    yield sseData(writer.opening());
    for (let result = first; !result.done; result = await rest.next()) {
      for (const chunk of writer.chunks(result.value)) yield sseData(chunk);
    }
    yield sseDone;
  } finally {
    await rest.return();
  }
}
