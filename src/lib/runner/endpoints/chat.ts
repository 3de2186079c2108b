/** POST /engines/v1/chat/completions: validated, scheduled, streamed or gathered. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { Clock } from '#lib/core/clock.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { sseData, sseDone, sseHeaders } from '#lib/openai/sse.ts';
import { ChatWriter } from '#lib/openai/chat-writer.ts';
import { settingsFor, withDefaults } from '#lib/runner/configure/defaults.ts';
import type { ModelSettings } from '#lib/runner/configure/settings.ts';
import { splitReasoning } from '#lib/runner/chat/reasoning.ts';
import type { Library } from '#lib/runner/library/library.ts';
import { modelRequest } from '#lib/runner/model-request.ts';
import type { Call } from '#lib/runner/router.ts';
import type { Scheduler } from '#lib/runner/scheduler.ts';
import { json, streamed } from './respond.ts';

export interface ChatPorts {
  readonly library: Library;
  readonly settings: ModelSettings;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
}

export async function chatCompletions(call: Call, ports: ChatPorts): Promise<Response> {
  const body = await call.json();
  if (call.request.headers.get('x-preload-only') === 'true') return preload(body, call, ports);
  const request = parseChatRequest(body);
  const left = new AbortController();
  const events = generate(request, ports, AbortSignal.any([call.request.signal, left.signal]));
  // Nothing is promised before the first event: a load or a prompt that fails still gets its true status.
  const first = await events.next();
  const writer = new ChatWriter(request, ports.clock.now());
  if (!request.stream) return json(await gather(writer, first, events));
  return streamed(sseFrames(writer, first, events), {
    headers: sseHeaders,
    onCancel: () => left.abort(),
    onError: (thrown) => sseData(toApiError(thrown)),
  });
}

/** Holds the model from the first `next` to the end of the iteration, however that comes about. */
async function* generate(
  request: ChatRequest,
  { library, settings, scheduler, clock }: ChatPorts,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const model = await library.get(request.model);
  const { engine } = library.partsOf(model).artifact;
  const wanted = settingsFor(engine, await settings.get(model.id));
  const lease = await scheduler.acquire(modelRequest(library, model, wanted), signal);
  try {
    await library.touch(model.id, clock.now());
    yield* splitReasoning(lease.model.chat(withDefaults(request, wanted), signal));
  } finally {
    lease.release();
  }
}

async function* sseFrames(
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

async function gather(
  writer: ChatWriter,
  first: IteratorResult<ChatEvent, void>,
  rest: AsyncGenerator<ChatEvent, void, undefined>,
): Promise<unknown> {
  for (let result = first; !result.done; result = await rest.next()) writer.add(result.value);
  return writer.completion();
}

/** `X-Preload-Only: true` loads the model and answers with nothing; only `model` is read. */
async function preload(
  body: unknown,
  call: Call,
  { library, settings, scheduler }: ChatPorts,
): Promise<Response> {
  const name = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  if (typeof name !== 'string') {
    throw new ApiError('invalid_request', '“model” must name the model to load.', { param: 'model' });
  }
  const model = await library.get(name);
  const lease = await scheduler.acquire(
    modelRequest(library, model, await settings.get(model.id)),
    call.request.signal,
  );
  lease.release();
  return new Response(null);
}
