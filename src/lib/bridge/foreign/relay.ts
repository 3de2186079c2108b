/** A foreign page's session with the bridge window: its requests go to the runner, many at once, until either leaves. */
import { ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { toResponse } from '#lib/bridge/call.ts';
import { connect, type ConnectOptions } from '#lib/bridge/connect.ts';
import type { Visitor } from './arrival.ts';
import { parsePageMessage, type BridgeMessage, type ForeignOpen, type PageMessage } from './protocol.ts';
import { RelayedRequest } from './relayed-request.ts';
import { toWireRequest, type ForeignPage } from './wire.ts';

export interface RelayOptions extends Omit<ConnectOptions, 'signal'> {
  readonly visitor: Visitor;
  readonly once: ForeignPage['once'];
}

/** Browsers ask one server six things at once; a page that asks for more than this is out of its mind. */
const maxRunning = 32;

export class ForeignRelay {
  /** A request began or ended, or the session did. */
  readonly changed = new Signal();
  readonly #options: RelayOptions;
  readonly #running = new Map<number, RelayedRequest>();
  #requests = 0;
  #lastId = 0;
  #isOver = false;

  /** Takes the visitor's port and tells the page that it may ask. */
  constructor(options: RelayOptions) {
    this.#options = options;
    const { port } = options.visitor;
    port.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(parsePageMessage(data));
    this.#post({ type: 'welcome' });
  }

  /** So far. */
  get requests(): number {
    return this.#requests;
  }

  get running(): number {
    return this.#running.size;
  }

  /** The page has left, or broke the protocol, or `stop` was called. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends what runs and tells the page why; idempotent. */
  stop(error: ApiError): void {
    if (this.#isOver) return;
    this.#post({ type: 'bye', body: error.toJSON() });
    this.#end();
  }

  #receive(message: PageMessage | undefined): void {
    if (this.#isOver) return;
    switch (message?.type) {
      case 'open':
        if (message.id > this.#lastId) void this.#serve(message);
        else this.stop(misunderstood());
        return;
      case 'credit':
        this.#running.get(message.id)?.credit(message.bytes);
        return;
      case 'cancel':
        this.#running.get(message.id)?.cancel();
        return;
      case 'bye':
        this.#end();
        return;
      case undefined:
        this.stop(misunderstood());
    }
  }

  async #serve(open: ForeignOpen): Promise<void> {
    const isOneTooMany = this.#running.size >= maxRunning;
    const request = new RelayedRequest(open.id, (message, transfer) => this.#post(message, transfer));
    this.#lastId = open.id;
    this.#requests++;
    this.#running.set(open.id, request);
    this.changed.notify();
    await request.run((signal) => (isOneTooMany ? Promise.reject(tooMany()) : this.#ask(open, signal)));
    this.#running.delete(open.id);
    this.changed.notify();
  }

  async #ask(open: ForeignOpen, signal: AbortSignal): Promise<Response> {
    const { visitor, once, ...options } = this.#options;
    const wire = toWireRequest(open, { origin: visitor.origin, once });
    const exchange = await connect(wire, { ...options, signal });
    return toResponse(await exchange.reply(), signal);
  }

  #post(message: BridgeMessage, transfer: Transferable[] = []): void {
    if (!this.#isOver) this.#options.visitor.port.postMessage(message, transfer);
  }

  #end(): void {
    this.#isOver = true;
    for (const request of this.#running.values()) request.cancel();
    this.#options.visitor.port.close();
    this.changed.notify();
  }
}

function misunderstood(): ApiError {
  return new ApiError('invalid_request', 'The page sent what is no message of sampan.js. Reload the page.');
}

function tooMany(): ApiError {
  return new ApiError(
    'rate_limited',
    `The page has ${maxRunning} requests under way. Wait for some of them, then send this one again.`,
  );
}
