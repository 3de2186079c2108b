/** Cuts a stream of bytes into the segments that are missing and writes them in pieces worth a message. */
import type { BlobWriter, Segment } from '#lib/store/port.ts';

/** Large enough for fast hashing and few messages, small enough that four of them are nothing. */
const pieceBytes = 1024 * 1024;

/** Takes bytes in order from `offset` on; bytes of segments that are not asked for are dropped. */
export class SegmentSink {
  readonly #writer: BlobWriter;
  readonly #segments: Segment[];
  #offset: number;
  #piece: Uint8Array<ArrayBuffer> | undefined;
  #filledBytes = 0;
  /** The mark of the last segment, made durable while the next one arrives. */
  #finishing: Promise<void> = Promise.resolve();

  constructor(writer: BlobWriter, segments: readonly Segment[], offset: number) {
    this.#writer = writer;
    this.#segments = [...segments];
    this.#offset = offset;
  }

  /** Where the next byte belongs that is still needed; the end when nothing is. */
  get offset(): number {
    return this.#offset;
  }

  get done(): boolean {
    return this.#segments.length === 0;
  }

  /** Resolves when every segment that arrived is durable. */
  settle(): Promise<void> {
    return this.#finishing;
  }

  async add(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const [segment] = this.#segments;
      if (!segment) return;
      const skipped = Math.min(Math.max(segment.from - this.#offset, 0), rest.byteLength);
      this.#offset += skipped;
      rest = rest.subarray(skipped);
      if (rest.byteLength === 0) return;
      const taken = await this.#fill(rest.subarray(0, segment.to - this.#offset), segment);
      rest = rest.subarray(taken);
      if (this.#offset === segment.to) await this.#finish(segment);
    }
  }

  /** Copies into the current piece, and writes it when it or the segment is full. */
  async #fill(bytes: Uint8Array, segment: Segment): Promise<number> {
    const roomBytes = Math.min(pieceBytes, segment.to - this.#offset + this.#filledBytes);
    this.#piece ??= this.#writer.lend(roomBytes);
    const taken = Math.min(bytes.byteLength, this.#piece.byteLength - this.#filledBytes);
    this.#piece.set(bytes.subarray(0, taken), this.#filledBytes);
    this.#filledBytes += taken;
    this.#offset += taken;
    if (this.#filledBytes === this.#piece.byteLength) await this.#flush();
    return taken;
  }

  async #flush(): Promise<void> {
    const piece = this.#piece;
    if (!piece) return;
    this.#piece = undefined;
    const at = this.#offset - this.#filledBytes;
    this.#filledBytes = 0;
    await this.#writer.write(at, piece);
  }

  async #finish(segment: Segment): Promise<void> {
    await this.#flush();
    this.#segments.shift();
    await this.#finishing;
    this.#finishing = this.#writer.finish(segment);
    // Its failure is thrown by whoever awaits it next; until then it must not count as unhandled.
    this.#finishing.catch(() => undefined);
  }
}
