/** One request of a foreign page on its way through the bridge window: asked, streamed no faster than read, stopped. */
import { toApiError } from '#lib/core/errors.ts';
import { toErrorResponse } from '#lib/bridge/call.ts';
import { CreditWindow } from '#lib/bridge/credit.ts';
import type { ByteStream } from '#lib/bridge/error-event.ts';
import { cancelled } from '#lib/bridge/failures.ts';
import { windowBytes, type BridgeMessage } from './protocol.ts';

export class RelayedRequest {
  readonly #id: number;
  readonly #post: (message: BridgeMessage, transfer?: Transferable[]) => void;
  readonly #credit = new CreditWindow(windowBytes);
  readonly #stop = new AbortController();

  constructor(id: number, post: (message: BridgeMessage, transfer?: Transferable[]) => void) {
    this.#id = id;
    this.#post = post;
  }

  /** Resolves when it is over, however it ended; never rejects. Failures before the head are an answer too. */
  async run(ask: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    const { signal } = this.#stop;
    try {
      const { status, headers, body } = await ask(signal).catch((thrown: unknown) => {
        signal.throwIfAborted();
        return toErrorResponse(thrown);
      });
      this.#say({ type: 'head', id: this.#id, status, headers: [...headers] });
      if (body) await this.#pump(body);
      this.#say({ type: 'end', id: this.#id });
    } catch (thrown) {
      this.#say({ type: 'error', id: this.#id, body: toApiError(thrown).toJSON() });
    }
  }

  credit(sizeBytes: number): void {
    this.#credit.add(sizeBytes);
  }

  /** The page wants no more of it, or is gone. */
  cancel(): void {
    this.#credit.lift();
    this.#stop.abort(cancelled());
  }

  /** One message per chunk: a token must not wait for the next one. */
  async #pump(body: ByteStream): Promise<void> {
    const { signal } = this.#stop;
    const reader = body.getReader();
    const leave = () => void reader.cancel(signal.reason).catch(() => undefined);
    signal.addEventListener('abort', leave);
    for (;;) {
      await this.#credit.ready();
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      this.#credit.spend(value.byteLength);
      this.#say({ type: 'data', id: this.#id, bytes: value }, [value.buffer]);
    }
  }

  /** Nothing after a cancellation: the page has forgotten the number. */
  #say(message: BridgeMessage, transfer: Transferable[] = []): void {
    if (!this.#stop.signal.aborted) this.#post(message, transfer);
  }
}
