/** One request of a program, seen from the runner: its body comes in, its answer goes out, and either side may leave. */
import { toApiError } from '#lib/core/errors.ts';
import { FileResponse } from '#lib/core/file-response.ts';
import { CreditWindow } from '#lib/bridge/credit.ts';
import { endingInErrorEvent, isEventStream, type ByteStream } from '#lib/bridge/error-event.ts';
import { cancelled } from '#lib/bridge/failures.ts';
import { collapseSlashes, isUploadPath } from '#lib/bridge/paths.ts';
import type { Handle } from '#lib/bridge/served-request.ts';
import { IncomingBody } from './incoming-body.ts';
import { chunksOf, windowBytes, type CompanionFrame, type OpenFrame, type TabFrame } from './protocol.ts';
import { ProgramRequest, type ProgramUpload } from './program-request.ts';
import type { Spool, Spooled } from './spool.ts';

export interface ServedCallOptions {
  readonly handle: Handle;
  readonly spool: Spool;
  /** What the request's path is appended to. */
  readonly origin: string;
  readonly send: (frame: TabFrame) => void;
}

export class ServedCall {
  readonly #open: OpenFrame;
  readonly #options: ServedCallOptions;
  readonly #credit = new CreditWindow(windowBytes);
  readonly #stop = new AbortController();
  readonly #body: IncomingBody;
  #spooled: Spooled | undefined;

  constructor(open: OpenFrame, options: ServedCallOptions) {
    this.#open = open;
    this.#options = options;
    const { request } = open;
    this.#body = new IncomingBody((sizeBytes) => this.#send({ kind: 'credit', request, sizeBytes }));
  }

  /** Resolves when the request is over, however it ended; never rejects. */
  async run(): Promise<void> {
    const { request } = this.#open;
    try {
      this.#send({ kind: 'ack', request });
      const answer = await this.#answer();
      const { status, headers } = answer;
      this.#send({ kind: 'head', request, status, headers: [...headers] });
      await this.#sendBody(answer);
      this.#send({ kind: 'end', request });
    } catch (thrown) {
      this.#send({ kind: 'error', request, body: toApiError(thrown).toJSON() });
    } finally {
      // What still comes of a body that nobody read is dropped.
      this.#body.abort(cancelled());
      await this.#spooled?.release();
    }
  }

  receive(frame: CompanionFrame): void {
    if (frame.kind === 'body') this.#body.push(frame.bytes);
    if (frame.kind === 'body-end') this.#body.end();
    if (frame.kind === 'credit') this.#credit.add(frame.sizeBytes);
    if (frame.kind === 'cancel') this.abort();
  }

  /** The program is gone, or the connection to it. */
  abort(): void {
    this.#credit.lift();
    this.#body.abort(cancelled());
    this.#stop.abort(cancelled());
  }

  /** The handler's answer, a failure as an error response. Rejects at once when aborted, even if the handler hangs. */
  async #answer(): Promise<Response> {
    const { signal } = this.#stop;
    const answer = this.#ask();
    const first = await Promise.race([answer, aborted(signal)]);
    if (first && !signal.aborted) return first;
    void answer.then((late) => discard(late));
    throw signal.reason;
  }

  async #ask(): Promise<Response> {
    try {
      return await this.#options.handle(await this.#request());
    } catch (thrown) {
      return toApiError(thrown).toResponse();
    }
  }

  async #request(): Promise<Request> {
    const { method, url, headers: list } = this.#open;
    const headers = new Headers(list);
    headers.set('x-sampan-source', 'program');
    // Said by the bridge window alone.
    for (const name of ['x-sampan-origin', 'x-sampan-models']) headers.delete(name);
    const init = { method, headers, signal: this.#stop.signal };
    const to = this.#options.origin + url;
    if (this.#open.body === 'none' || method === 'GET' || method === 'HEAD')
      return new ProgramRequest(to, init);
    const path = collapseSlashes(url.split('?', 1)[0] ?? '');
    if (isUploadPath(path)) return new ProgramRequest(to, init, this.#upload(headers));
    return new ProgramRequest(to, { ...init, body: await this.#body.collect() });
  }

  #upload(headers: Headers): ProgramUpload {
    const stream = this.#body.stream();
    const length = headers.get('content-length');
    const file = async () => {
      this.#spooled = await this.#options.spool(stream);
      return this.#spooled.file;
    };
    return { stream, sizeBytes: length === null ? undefined : Number(length), file };
  }

  async #sendBody(answer: Response): Promise<void> {
    if (answer instanceof FileResponse) {
      try {
        await this.#pump(answer.file.stream());
      } finally {
        answer.onEnd();
      }
      return;
    }
    const { body, headers } = answer;
    if (body) await this.#pump(isEventStream(headers) ? endingInErrorEvent(body, this.#stop.signal) : body);
  }

  /** One frame per chunk: a token must not wait for the next one. */
  async #pump(body: ByteStream): Promise<void> {
    const { signal } = this.#stop;
    const reader = body.getReader();
    signal.addEventListener('abort', () => void reader.cancel(signal.reason).catch(() => undefined));
    for (;;) {
      await this.#credit.ready();
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      for (const bytes of chunksOf(value)) {
        await this.#credit.ready();
        this.#credit.spend(bytes.byteLength);
        this.#send({ kind: 'data', request: this.#open.request, bytes });
      }
    }
  }

  /** Nothing after an abort: the companion has forgotten the number. */
  #send(frame: TabFrame): void {
    if (!this.#stop.signal.aborted) this.#options.send(frame);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}

/** An answer that came after its program had left. */
async function discard(answer: Response): Promise<void> {
  if (answer instanceof FileResponse) answer.onEnd();
  // A body that fails while it is thrown away has nobody left to tell.
  await answer.body?.cancel().catch(() => undefined);
}
