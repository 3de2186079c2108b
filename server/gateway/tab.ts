/** The connection to one tab: numbers for the requests it carries, frames to and from, and a watch over its silence. */
import type { WebSocket } from 'ws';
import { hostLost, hostStalled } from '#lib/bridge/failures.ts';
import { closeCodes, decodeTabFrame, encodeFrame } from '#lib/bridge/socket/protocol.ts';
import type { CompanionFrame, TabFrame } from '#lib/bridge/socket/protocol.ts';
import { Watchdog } from '#lib/bridge/watchdog.ts';
import type { Clock } from '#lib/core/clock.ts';
import type { ApiError } from '#lib/core/errors.ts';
import type { OriginRules } from '#lib/core/origin.ts';
import { bytesOf } from './bytes.ts';

/** One request, as its tab sees it. Neither method throws. */
export interface Receiver {
  receive(frame: TabFrame): void;
  /** Nothing comes any more. */
  lost(error: ApiError): void;
}

const largestNumber = 0xffff_ffff;

export class Tab {
  readonly #socket: WebSocket;
  readonly #receivers = new Map<number, Receiver>();
  readonly #watchdog: Watchdog;
  #lastNumber = 0;
  #failure: ApiError | undefined;
  #originRules: OriginRules | undefined;

  /** `onClose` is called once, whatever ended the connection. */
  constructor(socket: WebSocket, clock: Clock, onClose: (tab: Tab) => void) {
    this.#socket = socket;
    this.#watchdog = new Watchdog({
      clock,
      ask: () => this.send({ kind: 'ping', request: 0 }),
      onStalled: () => this.#drop(hostStalled()),
    });
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    // What is no WebSocket frame at all; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#watchdog.stop();
      onClose(this);
      this.#fail(hostLost());
    });
  }

  /** As the tab told them last. */
  get originRules(): OriginRules | undefined {
    return this.#originRules;
  }

  /** The number under which `receiver` hears from the tab, until `forget`. */
  enlist(receiver: Receiver): number {
    do this.#lastNumber = this.#lastNumber === largestNumber ? 1 : this.#lastNumber + 1;
    while (this.#receivers.has(this.#lastNumber));
    this.#receivers.set(this.#lastNumber, receiver);
    return this.#lastNumber;
  }

  forget(request: number): void {
    this.#receivers.delete(request);
  }

  send(frame: CompanionFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeFrame(frame));
  }

  /** A newer engine took over. What is under way ends as `host_lost`. */
  replace(): void {
    this.#socket.close(closeCodes.replaced);
    this.#fail(hostLost());
  }

  /** At once, without waiting for the tab's consent. */
  destroy(): void {
    this.#drop(hostLost());
  }

  #receive(data: unknown, isBinary: boolean): void {
    this.#watchdog.heard();
    const frame = isBinary && Buffer.isBuffer(data) ? decodeTabFrame(bytesOf(data)) : undefined;
    if (!frame) {
      this.#socket.close(closeCodes.breach);
      this.#fail(hostLost());
      return;
    }
    if (frame.kind === 'origins') this.#originRules = frame.rules;
    // One without a receiver crossed its cancellation on the way.
    this.#receivers.get(frame.request)?.receive(frame);
  }

  #drop(error: ApiError): void {
    this.#fail(error);
    this.#socket.terminate();
  }

  #fail(error: ApiError): void {
    this.#failure ??= error;
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    for (const receiver of receivers) receiver.lost(this.#failure);
  }
}
