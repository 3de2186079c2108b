/** What both registries need of HTTP: bodies that are read up to a limit, ranges that are checked, waits that end. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { ByteRange, LayerBody } from './port.ts';

export type Fetch = typeof fetch;

const maxDiscardedBytes = 64 * 1024;

/**
 * Runs `run` with a signal that also fires after `delayMs`. Throws the caller's own reason when the caller aborted,
 * and `registry_unreachable` when time was up or the connection broke: fetch says both with errors of any kind.
 */
export async function withDeadline<Result>(
  options: { clock: Clock; delayMs: number; server: string; signal?: AbortSignal | undefined },
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { clock, delayMs, server, signal } = options;
  const timer = new AbortController();
  const cancel = clock.after(delayMs, () => timer.abort());
  try {
    return await run(signal ? AbortSignal.any([signal, timer.signal]) : timer.signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    if (timer.signal.aborted) throw unreachable(`${server} does not answer. Try again later.`, thrown);
    if (thrown instanceof ApiError) throw thrown;
    throw unreachable(`The connection to ${server} broke. Try again.`, thrown);
  } finally {
    cancel();
  }
}

/** The whole body; more than `maxBytes` throws `tooLarge` and stops the transfer. */
export async function readAtMost(
  response: Response,
  maxBytes: number,
  tooLarge: () => ApiError,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  // A reader and no `for await`: Safari cannot iterate streams.
  const reader = (response.body ?? emptyStream()).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > maxBytes) {
      void reader.cancel();
      throw tooLarge();
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** Reads what is left of a small answer, so that its connection can serve again. Never rejects. */
export async function discard(response: Response): Promise<void> {
  try {
    await readAtMost(response, maxDiscardedBytes, () => unreachable('The answer is too long.'));
  } catch {
    // The answer was understood before this; a line that breaks now shows in the next request.
  }
}

/** Sends a GET with these headers and hands the response (200, or 206 and 416 to a range) to `read`. */
type Get = <Result>(
  headers: Readonly<Record<string, string>>,
  read: (response: Response) => Result | Promise<Result>,
) => Promise<Result>;

/** Bytes `range` of a file, or all of it from 0 when the server ignores or refuses the range. */
export async function fetchPart(range: ByteRange, server: string, get: Get): Promise<LayerBody> {
  if (range.from >= range.to) return { from: range.from, stream: emptyStream() };
  // Never a suffix range: those need a preflight, which CDNs do not answer (registries.md section 1).
  const headers = { range: `bytes=${range.from}-${range.to - 1}` };
  const part = await get(headers, (response) => {
    if (response.status !== 416) return layerBody(response, range, server);
    void response.body?.cancel();
    return undefined;
  });
  return part ?? get({}, (response) => layerBody(response, range, server));
}

/** Throws `registry_unreachable` when the server sends a part that nobody asked for. */
function layerBody(response: Response, range: ByteRange, server: string): LayerBody {
  const stream = response.body ?? emptyStream();
  if (response.status === 200) return { from: 0, stream };
  if (isPartAsked(response, range)) return { from: range.from, stream };
  void stream.cancel();
  throw unreachable(`${server} sent another part of the file than the one asked for. Try again.`);
}

/** `Content-Range` is readable only where CORS exposes it; without it the length has to do. */
function isPartAsked(response: Response, range: ByteRange): boolean {
  const header = response.headers.get('content-range');
  if (header === null) return Number(response.headers.get('content-length')) === range.to - range.from;
  const match = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/i.exec(header.trim());
  return match !== null && Number(match[1]) === range.from && Number(match[2]) < range.to;
}

function emptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** `Retry-After` when it is a number of seconds. */
export function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** `Retry-After` as words: " Try again in 30 seconds." */
export function retryAdvice(response: Response): string {
  const waitMs = retryAfterMs(response);
  if (waitMs === undefined) return 'Try again later.';
  const seconds = waitMs / 1000;
  if (seconds < 120) return `Try again in ${seconds} seconds.`;
  return `Try again in ${Math.ceil(seconds / 60)} minutes.`;
}

export function unreachable(message: string, cause?: unknown): ApiError {
  return new ApiError('registry_unreachable', message, { cause });
}
