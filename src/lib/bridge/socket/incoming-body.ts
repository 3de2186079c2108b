/** The body of a program's request, as it comes in frame by frame: credit goes back as it is read, so little is held. */
import { ApiError } from '#lib/core/errors.ts';
import type { ByteStream } from '#lib/bridge/error-event.ts';
import { Inbox } from '#lib/bridge/inbox.ts';
import { bodyCreditStepBytes } from './protocol.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Docker Model Runner's limit for everything but uploads. */
const maxBodyBytes = 10 * 1024 * 1024;

export class IncomingBody {
  readonly #inbox = new Inbox<Bytes | 'end'>();
  readonly #grant: (sizeBytes: number) => void;
  #ungrantedBytes = 0;

  /** `grant` tells the sender that so many more bytes may come. */
  constructor(grant: (sizeBytes: number) => void) {
    this.#grant = grant;
  }

  push(bytes: Bytes): void {
    this.#inbox.push(bytes);
  }

  end(): void {
    this.#inbox.push('end');
  }

  abort(reason: unknown): void {
    this.#inbox.abort(reason);
  }

  /** To be read once, by one reader. */
  stream(): ByteStream {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const next = await this.#next();
          if (next) controller.enqueue(next);
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** All of it, in place of `stream`; throws `request_too_large` above 10 MiB, and then reads no further. */
  async collect(): Promise<Bytes> {
    const chunks: Bytes[] = [];
    let sizeBytes = 0;
    for (let next = await this.#next(); next; next = await this.#next()) {
      sizeBytes += next.byteLength;
      if (sizeBytes > maxBodyBytes) {
        throw new ApiError('request_too_large', 'The request is larger than 10 MiB. Send less at once.');
      }
      chunks.push(next);
    }
    return joined(chunks, sizeBytes);
  }

  async #next(): Promise<Bytes | undefined> {
    const next = await this.#inbox.next();
    if (next === 'end') return undefined;
    this.#ungrantedBytes += next.byteLength;
    if (this.#ungrantedBytes >= bodyCreditStepBytes) {
      this.#grant(this.#ungrantedBytes);
      this.#ungrantedBytes = 0;
    }
    return next;
  }
}

function joined(chunks: readonly Bytes[], sizeBytes: number): Bytes {
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
