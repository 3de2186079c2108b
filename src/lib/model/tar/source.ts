/** Where the bytes of an archive come from: a file that can be read anywhere, or a stream that only goes forward. */

type Bytes = Uint8Array<ArrayBuffer>;

export interface ArchiveSource {
  /** `Infinity` when nobody has said. */
  readonly sizeBytes: number;
  /** Less only at the end. */
  read(offset: number, lengthBytes: number): Promise<Bytes>;
  /** One at a time, and none before what was read last. Cancelling it leaves the source as it is. */
  body(offset: number, lengthBytes: number): ReadableStream<Bytes>;
  /** Nobody wants the rest. */
  cancel(): Promise<void>;
}

export class FileSource implements ArchiveSource {
  readonly sizeBytes: number;
  readonly #file: Blob;

  constructor(file: Blob) {
    this.#file = file;
    this.sizeBytes = file.size;
  }

  async read(offset: number, lengthBytes: number): Promise<Bytes> {
    return new Uint8Array(await this.#slice(offset, lengthBytes).arrayBuffer());
  }

  body(offset: number, lengthBytes: number): ReadableStream<Bytes> {
    return this.#slice(offset, lengthBytes).stream();
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }

  #slice(offset: number, lengthBytes: number): Blob {
    return this.#file.slice(offset, offset + lengthBytes);
  }
}

/** What lies between two reads is read and dropped. */
export class ForwardSource implements ArchiveSource {
  readonly sizeBytes: number;
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  /** Of the last chunk, what nobody took yet. */
  #rest: Bytes = new Uint8Array(0);
  #position = 0;

  constructor(stream: ReadableStream<Bytes>, sizeBytes = Infinity) {
    this.#reader = stream.getReader();
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, lengthBytes: number): Promise<Bytes> {
    await this.#skipTo(offset);
    const bytes = new Uint8Array(lengthBytes);
    let filledBytes = 0;
    while (filledBytes < lengthBytes) {
      const taken = await this.#take(lengthBytes - filledBytes);
      if (!taken) break;
      bytes.set(taken, filledBytes);
      filledBytes += taken.byteLength;
    }
    return bytes.subarray(0, filledBytes);
  }

  body(offset: number, lengthBytes: number): ReadableStream<Bytes> {
    const end = offset + lengthBytes;
    return new ReadableStream(
      {
        start: () => this.#skipTo(offset),
        pull: async (controller) => {
          const taken = await this.#take(end - this.#position);
          if (taken) controller.enqueue(taken);
          if (!taken || this.#position === end) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #skipTo(offset: number): Promise<void> {
    if (offset < this.#position) throw new RangeError('A stream does not go back.');
    while (this.#position < offset && (await this.#take(offset - this.#position)));
  }

  /** At most so many of the next bytes, a view; `undefined` at the end. */
  async #take(mostBytes: number): Promise<Bytes | undefined> {
    while (this.#rest.byteLength === 0 && mostBytes > 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, mostBytes);
    this.#rest = this.#rest.subarray(taken.byteLength);
    this.#position += taken.byteLength;
    return taken;
  }
}
