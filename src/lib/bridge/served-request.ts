/** One request, seen from the engine: answered chunk by chunk, and stopped as soon as nobody holds its lease. */
import { toApiError } from '#lib/core/errors.ts';
import { FileResponse } from '#lib/core/file-response.ts';
import { CreditWindow } from './credit.ts';
import type { Line } from './direct-line.ts';
import type { Bridge } from './environment.ts';
import { endingInErrorEvent, isEventStream, type ByteStream } from './error-event.ts';
import { cancelled } from './failures.ts';
import { onRelease } from './locks.ts';
import { parseConsumerMessage, requestName } from './protocol.ts';
import type { ConsumerMessage, EngineMessage, OpenMessage } from './protocol.ts';
import { toRequest } from './wire-request.ts';

export type Handle = (request: Request) => Promise<Response>;

const windowBytes = 256 * 1024;

export class ServedRequest {
  readonly #bridge: Bridge;
  readonly #open: OpenMessage;
  readonly #line: Line;
  readonly #credit = new CreditWindow(windowBytes);
  readonly #stop = new AbortController();
  /** Not of a consumer in the worker's own page, which dies with it. */
  readonly #watchesLease: boolean;

  /** `direct`: where the consumer listens, unless it is the request's own channel. */
  constructor(bridge: Bridge, open: OpenMessage, direct?: Line) {
    this.#bridge = bridge;
    this.#open = open;
    this.#watchesLease = direct === undefined;
    this.#line = direct ?? new BroadcastChannel(requestName(bridge.scope, open.rid));
    this.#line.onmessage = ({ data }) => this.#receive(parseConsumerMessage(data));
  }

  /** Resolves when the request is over, however it ended; never rejects. */
  async run(handle: Handle): Promise<void> {
    const { locks, scope } = this.#bridge;
    const stopWatching = this.#watchesLease
      ? onRelease(locks, requestName(scope, this.#open.rid), () => this.abort())
      : () => undefined;
    try {
      this.#post({ type: 'ack' });
      const answer = await this.#answer(handle);
      const { status, headers, body } = answer;
      this.#post({ type: 'head', status, headers: [...headers] });
      if (answer instanceof FileResponse) {
        await this.#lend(answer);
        return;
      }
      if (body) await this.#pump(isEventStream(headers) ? endingInErrorEvent(body, this.#stop.signal) : body);
      this.#finish({ type: 'end' });
    } catch (thrown) {
      this.#finish({ type: 'error', body: toApiError(thrown).toJSON() });
    } finally {
      stopWatching();
      this.#line.close();
    }
  }

  /** The consumer is gone or the runner closes. */
  abort(): void {
    this.#credit.lift();
    this.#stop.abort(cancelled());
  }

  /** The handler's answer, a failure as an error response. Rejects at once when aborted, even if the handler hangs. */
  async #answer(handle: Handle): Promise<Response> {
    const { signal } = this.#stop;
    const answer = answerOf(handle, this.#open, signal);
    const first = await Promise.race([answer, aborted(signal)]);
    if (first && !signal.aborted) return first;
    void answer.then((late) => cancelBody(late.body));
    throw signal.reason;
  }

  /** One message per chunk: a token must not wait for the next one. */
  async #pump(body: ByteStream): Promise<void> {
    const { signal } = this.#stop;
    const reader = body.getReader();
    signal.addEventListener('abort', () => void cancelBody(reader));
    for (;;) {
      await this.#credit.ready();
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      this.#credit.spend(value.byteLength);
      this.#post({ type: 'd', bytes: compact(value) });
    }
  }

  /** The consumer frees its lease when it has read the file, or wants no more of it. */
  async #lend({ file, onEnd }: FileResponse): Promise<void> {
    try {
      this.#post({ type: 'file', blob: file });
      await aborted(this.#stop.signal);
    } finally {
      onEnd();
    }
  }

  #receive(message: ConsumerMessage | undefined): void {
    if (message?.type === 'credit') this.#credit.add(message.bytes);
    if (message?.type === 'cancel') this.abort();
    if (message?.type === 'ping') this.#post({ type: 'pong' });
  }

  /** Nothing after an abort: half an answer must not look whole to a consumer that outlives the runner. */
  #finish(message: EngineMessage): void {
    if (!this.#stop.signal.aborted) this.#post(message);
  }

  #post(message: EngineMessage): void {
    this.#line.postMessage(message);
  }
}

async function answerOf(handle: Handle, open: OpenMessage, signal: AbortSignal): Promise<Response> {
  try {
    return await handle(toRequest(open, open.body, signal));
  } catch (thrown) {
    return toApiError(thrown).toResponse();
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}

async function cancelBody(body: { cancel(): Promise<void> } | null): Promise<void> {
  // A body that fails while it is thrown away has nobody left to tell.
  await body?.cancel().catch(() => undefined);
}

/** Cloning a view clones the whole buffer under it, so a small view of a large buffer is copied out first. */
function compact(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
