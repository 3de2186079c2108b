/** What every endpoint that asks a model shares: which model it is, and its turn with it. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LoadedModel, RunnerMode } from '#lib/engine/port.ts';
import type { Capabilities } from '#lib/model/capabilities.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { settingsFor } from '#lib/runner/configure/defaults.ts';
import type { ModelSettings } from '#lib/runner/configure/settings.ts';
import type { Library } from '#lib/runner/library/library.ts';
import { anyCapability, type ModelInsights } from '#lib/runner/library/insight.ts';
import { modelRequest, type ModelRequestPorts } from '#lib/runner/model-request.ts';
import type { Recording } from '#lib/runner/recorder/recording.ts';
import { runRecorded } from '#lib/runner/recorder/turn.ts';
import type { Call } from '#lib/runner/router.ts';
import type { ModelRequest } from '#lib/runner/scheduler/request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';

export interface GenerationPorts {
  readonly library: Library;
  readonly settings: ModelSettings;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly insights: Pick<ModelInsights, 'of'>;
  readonly machine: ModelRequestPorts['machine'];
  /** Unexpected failures, for the log. */
  readonly onError: (thrown: unknown) => void;
}

/** The model of one request, before it is loaded. */
export interface Subject {
  readonly settings: ModelSettingsJson;
  readonly abilities: Capabilities;
  readonly wanted: ModelRequest;
}

/** Throws `model_not_found`. */
export async function subjectOf(name: string, mode: RunnerMode, ports: GenerationPorts): Promise<Subject> {
  const { library } = ports;
  const model = await library.get(name);
  const { engine } = library.partsOf(model).artifact;
  const settings = settingsFor(engine, await ports.settings.get(model.id));
  const abilities = (await ports.insights.of(model))?.capabilities ?? anyCapability;
  return { settings, abilities, wanted: await modelRequest(ports, model, settings, mode) };
}

/** `parameters`: what the request runs with, for the record. */
export interface Turn {
  readonly ports: GenerationPorts;
  readonly recording: Recording;
  readonly wanted: ModelRequest;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** Holds the model from the first `next` to the end of the iteration, however that comes about. */
export async function* onModel<T>(
  { ports, recording, wanted, parameters, signal }: Turn,
  use: (model: LoadedModel) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const { scheduler, library, clock, onError } = ports;
  yield* runRecorded({ scheduler, recording }, { wanted, parameters, signal }, (model) => {
    // Nobody waits for the disk, or goes without an answer when it is full.
    library.touch(wanted.id, clock.now()).catch(onError);
    return use(model);
  });
}

/** One promise of the model instead of events; the record hears of its tokens. */
export async function onceOnModel<T extends { readonly promptTokens: number }>(
  turn: Turn,
  use: (model: LoadedModel) => Promise<T>,
): Promise<T> {
  const { clock } = turn.ports;
  for await (const result of onModel(turn, async function* (model) {
    const startedMs = clock.now();
    const answer = await use(model);
    turn.recording.event(tokensOnly(answer.promptTokens, clock.now() - startedMs));
    yield answer;
  })) {
    return result;
  }
  throw new Error('the model gave nothing');
}

/** Whether a call asks to load the model only; such a call is no request to it and is not recorded. */
export function isPreload({ request }: Call): boolean {
  return request.headers.get('x-preload-only') === 'true';
}

/** `X-Preload-Only: true` loads the model and answers with nothing; only `model` is read. */
export async function preload(
  call: Call,
  ports: GenerationPorts,
  mode: RunnerMode = 'completion',
): Promise<Response> {
  const body = await call.json();
  const name = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  if (typeof name !== 'string') {
    throw new ApiError('invalid_request', '“model” must name the model to load.', { param: 'model' });
  }
  const { wanted } = await subjectOf(name, mode, ports);
  const lease = await ports.scheduler.acquire(wanted, call.request.signal);
  lease.release();
  return new Response(null);
}

function tokensOnly(promptTokens: number, prefillMs: number): ChatEvent {
  return {
    type: 'finish',
    reason: 'stop',
    usage: { promptTokens, cachedTokens: 0, completionTokens: 0 },
    timings: { prefillTokens: promptTokens, prefillMs, decodeTokens: 0, decodeMs: 0 },
  };
}
