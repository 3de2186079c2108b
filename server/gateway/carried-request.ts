/** One program's request on its way through a tab: body in, answer out, both no faster than they are read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { CreditWindow } from '#lib/bridge/credit.ts';
import { hostStalled } from '#lib/bridge/failures.ts';
import {
  bodyWindowBytes,
  chunksOf,
  creditStepBytes,
  maxBodyChunkBytes,
  type TabFrame,
} from '#lib/bridge/socket/protocol.ts';
import type { Clock } from '#lib/core/clock.ts';
import { ApiError, errorFromBody, toApiError } from '#lib/core/errors.ts';
import { sendError } from '#server/respond.ts';
import { bytesOf } from './bytes.ts';
import { EventStream } from './event-stream.ts';
import { requestHeaders, sendHead } from './headers.ts';
import type { Receiver, Tab } from './tab.ts';

/** How long a tab may take to say that it has heard. */
const ackMs = 10_000;
/** How long a client may be silent in the middle of a body. */
const bodyIdleMs = 60_000;

/** Resolves when the answer is out, or the client or the tab is gone; never rejects. */
export function carry(
  tab: Tab,
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    new CarriedRequest(tab, request, response, clock, resolve).start();
  });
}

class CarriedRequest implements Receiver {
  readonly #tab: Tab;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #number: number;
  readonly #bodyCredit = new CreditWindow(bodyWindowBytes);
  readonly #cancelAckTimer: () => void;
  #events: EventStream | undefined;
  #ungrantedBytes = 0;
  #over = false;

  constructor(
    tab: Tab,
    request: IncomingMessage,
    response: ServerResponse,
    clock: Clock,
    onOver: () => void,
  ) {
    this.#tab = tab;
    this.#request = request;
    this.#response = response;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#number = tab.enlist(this);
    this.#cancelAckTimer = clock.after(ackMs, () => this.#abandon(hostStalled()));
  }

  start(): void {
    const { method = 'GET', url = '/' } = this.#request;
    this.#response.on('drain', () => this.#grant());
    // The client has left; after a whole answer there is nothing to stop any more.
    this.#response.on('close', () => this.#stop());
    this.#response.on('error', () => this.#stop());
    const body = hasBody(this.#request) ? 'follows' : 'none';
    const headers = requestHeaders(this.#request);
    this.#tab.send({ kind: 'open', request: this.#number, method, url, headers, body });
    if (body === 'follows') void this.#sendBody();
  }

  receive(frame: TabFrame): void {
    try {
      this.#take(frame);
    } catch (thrown) {
      // An answer that HTTP cannot carry.
      this.#abandon(toApiError(thrown));
    }
  }

  lost(error: ApiError): void {
    if (this.#over) return;
    this.#settle();
    if (this.#events) this.#events.end(error);
    else sendError(this.#response, error, error.retryable ? { 'Retry-After': '1' } : {});
  }

  #take(frame: TabFrame): void {
    switch (frame.kind) {
      case 'ack':
        this.#cancelAckTimer();
        return;
      case 'credit':
        this.#bodyCredit.add(frame.sizeBytes);
        return;
      case 'head':
        this.#cancelAckTimer();
        sendHead(this.#response, frame.status, frame.headers);
        if (EventStream.isOne(this.#response)) this.#events = new EventStream(this.#response, this.#clock);
        return;
      case 'data':
        this.#write(frame.bytes);
        return;
      case 'end':
        this.#settle();
        this.#response.end();
        return;
      case 'error':
        this.lost(errorFromBody(frame.body, 500));
        return;
      case 'pong':
      case 'origins':
        return;
    }
  }

  /** A reader that is slow gives no credit, so the engine waits for it. */
  #write(bytes: Uint8Array): void {
    if (!this.#response.headersSent) throw new Error('The tab sent a body without a head.');
    this.#ungrantedBytes += bytes.byteLength;
    const takesMore = this.#events ? this.#events.write(bytes) : this.#response.write(bytes);
    if (takesMore && this.#ungrantedBytes >= creditStepBytes) this.#grant();
  }

  #grant(): void {
    if (this.#over || this.#ungrantedBytes === 0) return;
    this.#tab.send({ kind: 'credit', request: this.#number, sizeBytes: this.#ungrantedBytes });
    this.#ungrantedBytes = 0;
  }

  async #sendBody(): Promise<void> {
    const gathered = gather(this.#request);
    const chunks = gathered.iterator();
    try {
      for (;;) {
        const next = await this.#nextChunk(chunks);
        if (this.#over) return;
        if (next === undefined) break;
        for (const bytes of chunksOf(next, maxBodyChunkBytes)) {
          await this.#bodyCredit.ready();
          this.#sendChunk(bytes);
        }
      }
      this.#tab.send({ kind: 'body-end', request: this.#number });
    } catch {
      // The client broke its body off; an answer would have no reader.
      this.#response.destroy();
    } finally {
      // Not the request: after an early answer the client must still be able to read it.
      this.#request.unpipe(gathered);
      gathered.destroy();
      this.#drain();
    }
  }

  /** A tab that has answered already hears no more of the body. */
  #sendChunk(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#over) return;
    this.#bodyCredit.spend(bytes.byteLength);
    this.#tab.send({ kind: 'body', request: this.#number, bytes });
  }

  /** The rest of a body that the runner did not want; a client only reads its answer when all is sent. */
  #drain(): void {
    const request = this.#request;
    if (request.complete) return;
    const cancelTimer = this.#clock.after(bodyIdleMs, () => request.destroy());
    request.once('close', cancelTimer);
    request.resume();
  }

  async #nextChunk(chunks: AsyncIterableIterator<Buffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const cancelTimer = this.#clock.after(bodyIdleMs, () => {
      if (!this.#response.headersSent) this.#response.setHeader('Connection', 'close');
      this.#abandon(new ApiError('invalid_request', 'The body stopped half-way. Send the request again.'));
    });
    try {
      const next = await chunks.next();
      return next.done ? undefined : bytesOf(next.value);
    } finally {
      cancelTimer();
    }
  }

  /** Stops the engine and tells the client why. */
  #abandon(error: ApiError): void {
    if (this.#over) return;
    this.#tab.send({ kind: 'cancel', request: this.#number });
    this.lost(error);
  }

  /** Stops the engine; the client is gone. */
  #stop(): void {
    if (this.#over) return;
    this.#tab.send({ kind: 'cancel', request: this.#number });
    this.#settle();
  }

  #settle(): void {
    this.#over = true;
    this.#cancelAckTimer();
    this.#events?.stop();
    this.#bodyCredit.lift();
    this.#tab.forget(this.#number);
    this.#onOver();
  }
}

/** The body in larger pieces: Node's are of 64 KiB, and what comes while one is on its way is joined to the next. */
function gather(request: IncomingMessage): PassThrough {
  const gathered = new PassThrough({ highWaterMark: maxBodyChunkBytes });
  request.once('close', () => {
    if (!request.complete) gathered.destroy(new Error('The body broke off.'));
  });
  return request.pipe(gathered);
}

/** RFC 9112 section 6.3: a request has a body when one of the two headers says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
