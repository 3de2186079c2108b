/** What a model tells as an HTTP answer: one JSON document, or a stream of chunks as it comes. */
import type { Clock } from '#lib/core/clock.ts';
import { toApiError } from '#lib/core/errors.ts';
import { paced, type Chunk } from '#lib/core/paced.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { sseData, sseDone, sseHeaders } from '#lib/openai/sse.ts';
import type { Call } from '#lib/runner/router.ts';
import { json, streamed } from './respond.ts';

export interface Answer {
  readonly form: 'whole' | 'stream';
  readonly events: (signal: AbortSignal) => AsyncGenerator<ChatEvent, void, undefined>;
  /** Called once the first event has come. */
  readonly writer: () => AnswerWriter;
  /** Fields of the request that were not read. */
  readonly ignored: readonly string[];
  readonly clock: Clock;
}

/** Two frames of most screens; models that are slower send every token by itself. */
const stepMs = 32;

export interface AnswerWriter {
  /** Chunks before the first event's. */
  opening?(): unknown;
  chunks(event: ChatEvent): readonly unknown[];
  add(event: ChatEvent): void;
  completion(): unknown;
}

/** Nothing is promised before the first event: a load or a prompt that fails still gets its true status. */
export async function respond({ request }: Call, answer: Answer): Promise<Response> {
  const left = new AbortController();
  const events = answer.events(AbortSignal.any([request.signal, left.signal]));
  const first = await events.next();
  const writer = answer.writer();
  const headers = warningOf(answer.ignored);
  if (answer.form === 'whole') return withHeaders(json(await gather(writer, first, events)), headers);
  const frames = sseFrames(writer, first, events);
  return streamed(paced(frames, { clock: answer.clock, stepMs }), {
    headers: { ...sseHeaders, ...headers },
    onCancel: () => left.abort(),
    onError: (thrown) => sseData(toApiError(thrown)),
  });
}

export function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Names of fields are a client's words: only plain ones fit into a header. */
export function warningOf(ignored: readonly string[]): Readonly<Record<string, string>> {
  const names = ignored.filter((name) => /^[\w.-]{1,64}$/.test(name)).slice(0, 20);
  return names.length === 0 ? {} : { warning: `299 sampan "ignored: ${names.join(', ')}"` };
}

async function* sseFrames(
  writer: AnswerWriter,
  first: IteratorResult<ChatEvent, void>,
  rest: AsyncGenerator<ChatEvent, void, undefined>,
): AsyncGenerator<Chunk, void, undefined> {
  try {
    if (writer.opening) yield { bytes: sseData(writer.opening()), isPreface: true };
    for (let result = first; !result.done; result = await rest.next()) {
      const isPreface = result.value.type === 'prefill';
      for (const chunk of writer.chunks(result.value)) yield { bytes: sseData(chunk), isPreface };
    }
    yield { bytes: sseDone };
  } finally {
    await rest.return();
  }
}

async function gather(
  writer: AnswerWriter,
  first: IteratorResult<ChatEvent, void>,
  rest: AsyncGenerator<ChatEvent, void, undefined>,
): Promise<unknown> {
  for (let result = first; !result.done; result = await rest.next()) writer.add(result.value);
  return writer.completion();
}
