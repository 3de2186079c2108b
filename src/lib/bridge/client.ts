/** `fetch` for the app's pages: straight to the engine worker, without the service worker, and over a change of host. */
import { ApiError } from '#lib/core/errors.ts';
import { toErrorResponse, toResponse } from './call.ts';
import { connect, type ConnectOptions } from './connect.ts';
import type { ByteStream } from './error-event.ts';
import { hostLost } from './failures.ts';
import type { Reply } from './exchange.ts';
import { readRequest } from './wire-request.ts';

type ClientOptions = Omit<ConnectOptions, 'signal'>;

export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions = {}) {
    this.#options = options;
  }

  /**
   * Answers and fails as `callHost`, but a host that is missing, or that dies before the first byte of the body, is
   * waited for and asked once more; the caller notices nothing but the time it takes.
   */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    const request = new Request(new URL(path, self.location.origin), init);
    const { signal } = request;
    try {
      const wire = await readRequest(request, 'page');
      const ask = async () => (await connect(wire, { ...this.#options, signal })).reply();
      return toResponse(await retried(ask), signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return toErrorResponse(thrown);
    }
  }
}

/** Asks once more when the first answer has no host, or loses it before its first byte. */
async function retried(ask: () => Promise<Reply>): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await ask();
  } catch (thrown) {
    if (!isHostMissing(thrown)) throw thrown;
    return ask();
  }
  const again = async () => {
    const next = await ask();
    if (next.status === reply.status) return next.body;
    // The caller has the first head already; a different one cannot be told any more.
    await next.body.cancel();
    throw hostLost();
  };
  return { ...reply, body: restartingBeforeFirstByte(reply.body, again) };
}

/** The same stream; if its host is lost before the first byte, `again` gives the one that takes its place. */
function restartingBeforeFirstByte(body: ByteStream, again: () => Promise<ByteStream>): ByteStream {
  let reader = body.getReader();
  let mayRestart = true;
  const read = async () => {
    try {
      return await reader.read();
    } catch (thrown) {
      if (!mayRestart || !isHostMissing(thrown)) throw thrown;
      reader = (await again()).getReader();
      return reader.read();
    }
  };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const { done, value } = await read();
    mayRestart = false;
    if (done) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) }, { highWaterMark: 0 });
}

function isHostMissing(thrown: unknown): boolean {
  return thrown instanceof ApiError && (thrown.code === 'no_host' || thrown.code === 'host_lost');
}
