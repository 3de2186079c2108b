/** One request under way to one engine, seen from its consumer: lease, acknowledgement, head, body, and every way to die. */
import { ApiError, errorFromBody } from '#lib/core/errors.ts';
import type { Line, NearEngine } from './direct-line.ts';
import type { Bridge } from './environment.ts';
import type { ByteStream } from './error-event.ts';
import { cancelled, hostLost, hostStalled } from './failures.ts';
import { Inbox } from './inbox.ts';
import { holdLock, onRelease } from './locks.ts';
import { controlChannelName, isWorkLease, parseEngineMessage, requestId, requestName } from './protocol.ts';
import type { ConsumerMessage, EngineLock, EngineMessage, OpenMessage } from './protocol.ts';
import { Watchdog } from './watchdog.ts';
import type { WireRequest } from './wire-request.ts';

/** Credit is returned in such steps, so that not every token costs a message back. */
const creditStepBytes = 64 * 1024;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Fails with an `ApiError`, or with the signal's reason. */
  readonly body: ByteStream;
}

export class Exchange {
  readonly #bridge: Bridge;
  readonly #line: Line;
  readonly #inbox = new Inbox<EngineMessage>();
  readonly #releases: (() => void)[];
  readonly #watchdog: Watchdog;
  #uncreditedBytes = 0;
  #closed = false;
  /** Of a body that is a file. */
  #file: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;

  /** Takes the lease and sends the request; the caller owns the exchange until its body ends or is cancelled. */
  static async open(
    bridge: Bridge,
    engine: EngineLock,
    request: WireRequest,
    signal: AbortSignal,
  ): Promise<Exchange> {
    const rid = requestId(request.method);
    const name = requestName(bridge.scope, rid);
    const lease = await holdLock(bridge.locks, name, { signal });
    const exchange = new Exchange(bridge, new BroadcastChannel(name), signal, [
      onRelease(bridge.locks, engine.name, () => exchange.#fail(hostLost())),
      () => lease.release(),
    ]);
    if (signal.aborted) exchange.#abort(signal.reason);
    else announce(bridge, { type: 'open', engineId: engine.engineId, rid, ...request });
    return exchange;
  }

  /** The same to the engine of this page: nothing is waited for. Throws the signal's reason if it is aborted already. */
  static openNear(bridge: Bridge, engine: NearEngine, request: WireRequest, signal: AbortSignal): Exchange {
    signal.throwIfAborted();
    const rid = requestId(request.method);
    const name = requestName(bridge.scope, rid);
    const line = engine.open({ type: 'open', engineId: engine.lock.engineId, rid, ...request });
    const exchange = new Exchange(bridge, line, signal, [
      engine.onGone(() => exchange.#fail(hostLost())),
      // The engine does not look at it: it tells an update of the app that work is under way.
      isWorkLease(bridge.scope, name) ? holdAside(bridge.locks, name) : () => undefined,
    ]);
    return exchange;
  }

  private constructor(bridge: Bridge, line: Line, signal: AbortSignal, releases: readonly (() => void)[]) {
    this.#bridge = bridge;
    this.#line = line;
    line.onmessage = ({ data }) => this.#receive(parseEngineMessage(data));
    const onAbort = () => this.#abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    this.#watchdog = new Watchdog({
      clock: bridge.clock,
      ask: () => this.#post({ type: 'ping' }),
      onStalled: () => this.#fail(hostStalled()),
    });
    this.#releases = [
      ...releases,
      () => signal.removeEventListener('abort', onAbort),
      () => this.#watchdog.stop(),
      () => line.close(),
    ];
  }

  /** Resolves when the engine has taken the request; throws `host_lost`, `host_stalled` or the signal's reason. */
  async acked(withinMs: number): Promise<void> {
    const cancelTimer = this.#bridge.clock.after(withinMs, () => this.#fail(hostStalled()));
    try {
      const message = await this.#inbox.next();
      if (message.type !== 'ack') throw this.#broken(message);
    } finally {
      cancelTimer();
    }
  }

  /** Resolves when the runner has answered, which may take as long as a model loads. */
  async reply(): Promise<Reply> {
    const message = await this.#inbox.next();
    if (message.type !== 'head') throw this.#broken(message);
    return { status: message.status, headers: new Headers(message.headers), body: this.#body() };
  }

  /** Stops the engine and frees everything; idempotent. */
  cancel(): void {
    this.#abort(cancelled());
  }

  #body(): ByteStream {
    return new ReadableStream(
      { pull: (controller) => this.#pull(controller), cancel: () => this.cancel() },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    if (this.#file) {
      await this.#pullFile(this.#file, controller);
      return;
    }
    const message = await this.#inbox.next();
    if (message.type === 'file') {
      this.#file = message.blob.stream().getReader();
      await this.#pullFile(this.#file, controller);
      return;
    }
    if (message.type === 'end') {
      controller.close();
      return;
    }
    if (message.type !== 'd') throw this.#broken(message);
    controller.enqueue(message.bytes);
    this.#credit(message.bytes.byteLength);
  }

  async #pullFile(
    file: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const { done, value } = await file.read();
    // Why it was closed.
    if (this.#closed) await this.#inbox.next();
    if (!done) {
      controller.enqueue(value);
      return;
    }
    controller.close();
    // The engine keeps the file until it is told, or the lease is free, which that of this page does not watch.
    this.cancel();
  }

  #credit(sizeBytes: number): void {
    this.#uncreditedBytes += sizeBytes;
    if (this.#uncreditedBytes < creditStepBytes) return;
    this.#post({ type: 'credit', bytes: this.#uncreditedBytes });
    this.#uncreditedBytes = 0;
  }

  #receive(message: EngineMessage | undefined): void {
    this.#watchdog.heard();
    if (!message || message.type === 'pong') return;
    this.#inbox.push(message);
    if (message.type === 'end' || message.type === 'error') this.#close();
  }

  /** The failure an `error` message tells of, or a breach of the protocol. */
  #broken(message: EngineMessage): ApiError {
    this.cancel();
    if (message.type === 'error') return errorFromBody(message.body, 500);
    return new ApiError(
      'internal',
      'The tabs of Sampan misunderstood each other. Reload them, then try again.',
    );
  }

  #fail(error: ApiError): void {
    if (this.#closed) return;
    this.#inbox.fail(error);
    this.#post({ type: 'cancel' });
    this.#close();
  }

  #abort(reason: unknown): void {
    this.#inbox.abort(reason);
    this.#post({ type: 'cancel' });
    this.#close();
  }

  #post(message: ConsumerMessage): void {
    if (!this.#closed) this.#line.postMessage(message);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#file?.cancel();
    for (const release of this.#releases) release();
  }
}

function announce({ scope }: Bridge, open: OpenMessage): void {
  const control = new BroadcastChannel(controlChannelName(scope));
  control.postMessage(open);
  control.close();
}

/** Takes a lock that nobody else wants, in its own time; returns how to free it. */
function holdAside(locks: LockManager, name: string): () => void {
  const given = new AbortController();
  const lease = holdLock(locks, name, { signal: given.signal });
  // Given up before it was there, or the page is going away.
  lease.catch(() => undefined);
  return () => {
    given.abort();
    void lease.then(
      (held) => held.release(),
      () => undefined,
    );
  };
}
