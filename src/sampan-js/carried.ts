/** One request through the window, as the page that sent it sees it: a response, and a body no faster than it is read. */
import type { BridgeMessage, PageMessage } from '#lib/bridge/foreign/protocol.ts';
import { failure } from './failure.ts';

type Answer = Exclude<BridgeMessage, { type: 'welcome' | 'bye' }>;

/** Part of an error body, as every answer of Sampan has it. */
interface Told {
  readonly code: string;
  readonly message: string;
}

interface CarriedOptions {
  readonly id: number;
  readonly signal: AbortSignal;
  readonly send: (message: PageMessage) => void;
  readonly onOver: () => void;
}

/** Credit is returned in such steps, so that not every token costs a message back. */
const creditStepBytes = 64 * 1024;

export class Carried {
  /** Rejects only as `fetch` does when its caller aborts. */
  readonly response: Promise<Response>;
  readonly #options: CarriedOptions;
  readonly #stop = () => this.#abort();
  #resolve: (response: Response) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isEventStream = false;
  #uncreditedBytes = 0;

  constructor(options: CarriedOptions) {
    this.#options = options;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.signal.addEventListener('abort', this.#stop);
  }

  receive(message: Answer): void {
    if (message.type === 'head') this.#open(message.status, new Headers(message.headers));
    if (message.type === 'data') {
      this.#uncreditedBytes += message.bytes.byteLength;
      this.#body?.enqueue(message.bytes);
    }
    if (message.type === 'end') {
      this.#over();
      this.#body?.close();
    }
    if (message.type === 'error') this.#break(message.body.error);
  }

  /** The session is over: told as the server would, so that clients need to know one way only. */
  fail(why: Told): void {
    if (!this.#body) {
      this.#over();
      const status = why.code === 'forbidden_origin' ? 403 : 503;
      this.#resolve(Response.json({ error: why }, { status, headers: { 'x-should-retry': 'false' } }));
    } else if (this.#isEventStream) {
      this.#over();
      this.#body.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({ error: why })}\n\n`));
      this.#body.close();
    } else this.#break(why);
  }

  #open(status: number, headers: Headers): void {
    this.#isEventStream = !!headers.get('content-type')?.startsWith('text/event-stream');
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        // Asked for more only when all is read that came.
        pull: () => this.#credit(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    );
    // Fetch standard, “null body status”.
    this.#resolve(new Response([204, 205, 304].includes(status) ? null : stream, { status, headers }));
  }

  #credit(): void {
    if (this.#uncreditedBytes < creditStepBytes) return;
    const { id, send } = this.#options;
    send({ type: 'credit', id, bytes: this.#uncreditedBytes });
    this.#uncreditedBytes = 0;
  }

  #abort(): void {
    const reason: unknown = this.#options.signal.reason;
    this.#cancel();
    this.#reject(reason);
    this.#body?.error(reason);
  }

  #cancel(): void {
    const { id, send } = this.#options;
    send({ type: 'cancel', id });
    this.#over();
  }

  #break({ code, message }: Told): void {
    this.#over();
    this.#body?.error(failure(code, message));
  }

  #over(): void {
    this.#options.signal.removeEventListener('abort', this.#stop);
    this.#options.onOver();
  }
}
