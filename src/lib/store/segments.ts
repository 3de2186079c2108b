/** Which segments of a blob are finished, and how far it is whole from its start. Pure bookkeeping, shared by the stores. */
import { outOfRange } from './faults.ts';
import type { Segment } from './port.ts';

/** Large enough that one request each is cheap, small enough that a lost connection costs little. */
export const defaultSegmentBytes = 8 * 1024 * 1024;

export class SegmentMap {
  readonly #sizeBytes: number;
  readonly #segmentBytes: number;
  readonly #finished: Uint8Array<ArrayBuffer>;
  /** By segment: how many bytes are written from its start. A retry writes the same bytes again and counts once. */
  readonly #writtenBytes = new Map<number, number>();
  #finishedBytes = 0;
  #frontier = 0;

  /** `bitmap` is what `bitmap()` gave; one of another length is a caller's mistake (see `bitmapBytes`). */
  constructor(sizeBytes: number, segmentBytes: number, bitmap?: Uint8Array) {
    this.#sizeBytes = sizeBytes;
    this.#segmentBytes = segmentBytes;
    this.#finished = new Uint8Array(bitmapBytes(sizeBytes, segmentBytes));
    if (bitmap) this.#finished.set(bitmap);
    for (let index = 0; index < this.#count; index++) {
      if (this.#has(index)) this.#finishedBytes += this.#lengthBytes(index);
    }
    this.#advance();
  }

  missing(): readonly Segment[] {
    const missing: Segment[] = [];
    for (let index = this.#frontier; index < this.#count; index++) {
      if (!this.#has(index)) missing.push(this.#segment(index));
    }
    return missing;
  }

  /** Every byte before it belongs to a finished segment. */
  get frontierBytes(): number {
    return Math.min(this.#frontier * this.#segmentBytes, this.#sizeBytes);
  }

  get receivedBytes(): number {
    let receivedBytes = this.#finishedBytes;
    for (const bytes of this.#writtenBytes.values()) receivedBytes += bytes;
    return receivedBytes;
  }

  /** Throws `internal` when `[offset, offset + lengthBytes)` is not inside the blob. */
  assertInside(offset: number, lengthBytes: number): void {
    if (offset < 0 || offset + lengthBytes > this.#sizeBytes) throw outOfRange();
  }

  /** Notes written bytes; they may lie across segments. */
  wrote(offset: number, lengthBytes: number): void {
    const end = offset + lengthBytes;
    for (let index = Math.floor(offset / this.#segmentBytes); index * this.#segmentBytes < end; index++) {
      if (this.#has(index)) continue;
      const { from, to } = this.#segment(index);
      const writtenBytes = Math.min(end, to) - from;
      this.#writtenBytes.set(index, Math.max(writtenBytes, this.#writtenBytes.get(index) ?? 0));
    }
  }

  /** Idempotent. */
  finish(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) throw outOfRange();
    this.#writtenBytes.delete(index);
    if (this.#has(index)) return;
    this.#finished[index >> 3] = (this.#finished[index >> 3] ?? 0) | (1 << (index & 7));
    this.#finishedBytes += this.#lengthBytes(index);
    this.#advance();
  }

  /** One bit a segment, least significant first. A copy. */
  bitmap(): Uint8Array<ArrayBuffer> {
    return this.#finished.slice();
  }

  get #count(): number {
    return Math.ceil(this.#sizeBytes / this.#segmentBytes);
  }

  #has(index: number): boolean {
    return ((this.#finished[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  #segment(index: number): Segment {
    const from = index * this.#segmentBytes;
    return { index, from, to: Math.min(from + this.#segmentBytes, this.#sizeBytes) };
  }

  #lengthBytes(index: number): number {
    const { from, to } = this.#segment(index);
    return to - from;
  }

  #advance(): void {
    while (this.#frontier < this.#count && this.#has(this.#frontier)) this.#frontier++;
  }
}

/** The length of the bitmap of such a blob. */
export function bitmapBytes(sizeBytes: number, segmentBytes: number): number {
  return Math.ceil(Math.ceil(sizeBytes / segmentBytes) / 8);
}
