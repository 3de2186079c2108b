/** One connection to the companion, from its opening to its end: frames in, calls served, frames out. */
import type { OriginRules } from '#lib/core/origin.ts';
import { holdLock } from '#lib/bridge/locks.ts';
import { requestId, requestName } from '#lib/bridge/protocol.ts';
import type { Handle } from '#lib/bridge/served-request.ts';
import { closeCodes, decodeCompanionFrame, encodeFrame } from './protocol.ts';
import type { CompanionFrame, OpenFrame, TabFrame } from './protocol.ts';
import { ServedCall } from './served-call.ts';
import type { Spool } from './spool.ts';

/** What the user has decided about pages of other origins, for the companion to let in or keep out. */
export interface OriginSource {
  readonly rules: () => OriginRules;
  readonly changed: { subscribe(listener: () => void): () => void };
}

export interface SessionOptions {
  readonly handle: Handle;
  readonly spool: Spool;
  /** The companion's, which is also the app's. */
  readonly origin: string;
  /** Where there are Web Locks, a request holds one, so that an update of the app waits for it. */
  readonly locks?: LockManager | undefined;
  /** Told at once and after every change; without it the companion knows only its own list. */
  readonly origins?: OriginSource | undefined;
}

/** Resolves with the close code when the connection is over and everything it carried was stopped. */
export function serveSocket(
  socket: WebSocket,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<number> {
  return new Session(socket, options).run(signal);
}

class Session {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #calls = new Map<number, ServedCall>();

  constructor(socket: WebSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#receive(data));
  }

  async run(signal: AbortSignal): Promise<number> {
    const leave = () => this.#socket.close();
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    const stopTelling = this.#tellOrigins();
    try {
      return await closed(this.#socket);
    } finally {
      signal.removeEventListener('abort', leave);
      stopTelling();
      for (const call of this.#calls.values()) call.abort();
    }
  }

  /** Returns how to stop. */
  #tellOrigins(): () => void {
    const { origins } = this.#options;
    if (!origins) return () => undefined;
    const tell = () => this.#send({ kind: 'origins', request: 0, rules: origins.rules() });
    this.#socket.addEventListener('open', tell);
    tell();
    return origins.changed.subscribe(tell);
  }

  #receive(data: unknown): void {
    const frame = data instanceof ArrayBuffer ? decodeCompanionFrame(new Uint8Array(data)) : undefined;
    if (!frame || !this.#take(frame)) this.#socket.close(closeCodes.breach);
  }

  /** False for a breach: a number that is in use. A frame for a call that is over crossed its end on the way. */
  #take(frame: CompanionFrame): boolean {
    if (frame.kind === 'ping') {
      this.#send({ kind: 'pong', request: 0 });
      return true;
    }
    if (frame.kind === 'open') {
      if (this.#calls.has(frame.request)) return false;
      void this.#serve(frame);
      return true;
    }
    this.#calls.get(frame.request)?.receive(frame);
    return true;
  }

  async #serve(open: OpenFrame): Promise<void> {
    const { handle, spool, origin, locks } = this.#options;
    const call = new ServedCall(open, { handle, spool, origin, send: (frame) => this.#send(frame) });
    this.#calls.set(open.request, call);
    const lease = locks && (await holdLock(locks, requestName('', requestId(open.method))));
    try {
      await call.run();
    } finally {
      this.#calls.delete(open.request);
      lease?.release();
    }
  }

  #send(frame: TabFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeFrame(frame));
  }
}

/** A connection that is refused closes too, with 1006. */
function closed(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
}
