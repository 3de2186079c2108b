/** A client that answers from a script: canned responses, and streams that a test writes by hand. */
import type { Client } from '#lib/state/client.ts';

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  /** Parsed where it was JSON; a file as it was handed over. */
  readonly body: unknown;
}

type Reply =
  Response | ((request: SentRequest, signal: AbortSignal | undefined) => Response | Promise<Response>);

export class ScriptedClient implements Client {
  readonly sent: SentRequest[] = [];
  readonly #replies = new Map<string, Reply>();

  /** Answers `route` (`GET /models`) from now on; a function answers anew each time. */
  on(route: string, reply: Reply): this {
    this.#replies.set(route, reply);
    return this;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const method = init.method ?? 'GET';
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : (init.body ?? undefined);
    const request = { method, path, body };
    this.sent.push(request);
    const reply = this.#replies.get(`${method} ${path}`);
    if (!reply) return Promise.resolve(new Response('{}', { status: 404 }));
    if (reply instanceof Response) return Promise.resolve(reply.clone());
    return Promise.resolve(reply(request, init.signal ?? undefined));
  }
}

/** The response of a server-sent event stream, and the hand that writes it. */
export class ScriptedStream {
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  readonly #encoder = new TextEncoder();
  readonly response: Response;

  constructor(signal?: AbortSignal) {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    signal?.addEventListener('abort', () => this.#controller?.error(signal.reason));
  }

  event(name: string, value: unknown): void {
    this.#write(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
  }

  data(value: unknown): void {
    this.#write(`data: ${JSON.stringify(value)}\n\n`);
  }

  done(): void {
    this.#write('data: [DONE]\n\n');
    this.end();
  }

  end(): void {
    this.#controller?.close();
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }
}

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
}
