/** Fills buffers of the caller's from a stream of bytes, so that a gigabyte passes through a few of them. */

export interface ByteReader {
  /**
   * Fills `target`, with less only at the end of the stream, and gives back what came: a view into the same memory.
   * The view that was handed in is detached, so go on with the one that comes back.
   */
  fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the stream where nobody wants the rest. */
  cancel(): Promise<void>;
}

/** Takes the stream over. Bodies and files are byte streams, which write into the buffers; others are copied from. */
export function readBytes(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ByteReader {
  const reader = byteStreamReader(stream);
  return reader ? new DirectReader(reader) : new CopyingReader(stream.getReader());
}

class DirectReader implements ByteReader {
  /**
   * Chromium (156) lets the garbage collector take a stream of a file, and with it everyone who awaits it, when nothing
   * but its own pending read knows it: one read of 400 MB in five never ended. So those that wait are known here.
   */
  static readonly #waiting = new Set<DirectReader>();
  readonly #reader: ReadableStreamBYOBReader;

  constructor(reader: ReadableStreamBYOBReader) {
    this.#reader = reader;
  }

  async fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    DirectReader.#waiting.add(this);
    try {
      return await this.#fill(target);
    } finally {
      DirectReader.#waiting.delete(this);
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { byteOffset, byteLength } = target;
    let filled = target.subarray(0, 0);
    while (filled.byteLength < byteLength) {
      const filledBytes = filled.byteLength;
      const room = new Uint8Array(filled.buffer, byteOffset + filledBytes, byteLength - filledBytes);
      const { done, value } = await this.#reader.read(room);
      // A stream that is cancelled meanwhile keeps the buffer.
      if (!value) return new Uint8Array(0);
      filled = new Uint8Array(value.buffer, byteOffset, filledBytes + value.byteLength);
      if (done) break;
    }
    return filled;
  }
}

class CopyingReader implements ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  /** What the last target had no room for. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>) {
    this.#reader = reader;
  }

  async fill(target: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    let filledBytes = 0;
    while (filledBytes < target.byteLength && (await this.#hasMore())) {
      const taken = this.#rest.subarray(0, target.byteLength - filledBytes);
      target.set(taken, filledBytes);
      filledBytes += taken.byteLength;
      this.#rest = this.#rest.subarray(taken.byteLength);
    }
    return target.subarray(0, filledBytes);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #hasMore(): Promise<boolean> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }
}

/** `undefined` for a stream that is no byte stream; Safari has none of its own. */
function byteStreamReader(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}
