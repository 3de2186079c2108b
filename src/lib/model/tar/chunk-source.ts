/** Hands out the bytes of a stream in the amounts that are asked for, as views where it can. */
import { damagedTar } from './damage.ts';

export class ChunkSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async ended(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** A view of one to `maxBytes` bytes. Throws `unsupported_model_format` at the end of the stream. */
  async next(maxBytes: number): Promise<Uint8Array> {
    if (this.#chunk.byteLength === 0 && !(await this.#fill())) throw damagedTar('it was cut short');
    const taken = this.#chunk.subarray(0, maxBytes);
    this.#chunk = this.#chunk.subarray(taken.byteLength);
    return taken;
  }

  /** Exactly so many bytes: a view when they arrived together. */
  async take(lengthBytes: number): Promise<Uint8Array> {
    if (lengthBytes <= this.#chunk.byteLength)
      return lengthBytes === 0 ? new Uint8Array() : this.next(lengthBytes);
    const whole = new Uint8Array(lengthBytes);
    for (let filled = 0; filled < lengthBytes;) {
      const part = await this.next(lengthBytes - filled);
      whole.set(part, filled);
      filled += part.byteLength;
    }
    return whole;
  }

  async skip(lengthBytes: number): Promise<void> {
    for (let left = lengthBytes; left > 0;) left -= (await this.next(left)).byteLength;
  }

  /** Passes over what is left, up to about `maxBytes`. */
  async drain(maxBytes: number): Promise<void> {
    for (let left = maxBytes; left > 0 && (await this.#fill());) left -= (await this.next(left)).byteLength;
  }

  /** Tells whoever writes that no more is wanted; what the stream thinks of it does not matter any more. */
  async cancel(): Promise<void> {
    this.#chunk = new Uint8Array();
    await this.#reader.cancel().catch(() => undefined);
  }

  /** Whether there is a byte to take. */
  async #fill(): Promise<boolean> {
    while (this.#chunk.byteLength === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#chunk = value;
    }
    return true;
  }
}
