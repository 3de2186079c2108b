/** Reads a stream of bytes through one buffer, so that a gigabyte leaves no gigabyte for the garbage collector. */

export interface Chunks {
  /** Valid until the next call; `undefined` at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): Promise<void>;
}

const bufferBytes = 256 * 1024;

/** Bodies of `fetch` are byte streams; where one is not, its own chunks are handed out. */
export function openChunks(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Chunks {
  const reader = byteReader(stream);
  return reader ? new BufferedChunks(reader) : plainChunks(stream.getReader());
}

class BufferedChunks implements Chunks {
  readonly #reader: ReadableStreamBYOBReader;
  /** Away while a read fills it. */
  #buffer = new ArrayBuffer(bufferBytes);

  constructor(reader: ReadableStreamBYOBReader) {
    this.#reader = reader;
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#buffer));
    if (done) return undefined;
    this.#buffer = value.buffer;
    return value;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function plainChunks(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): Chunks {
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel(),
  };
}

function byteReader(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}
