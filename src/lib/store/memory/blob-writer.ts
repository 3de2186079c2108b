/** Writes one blob of the memory twin. */
import type { Clock } from '#lib/core/clock.ts';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { abortReason, digestMismatch, incomplete, writerClosed } from '#lib/store/faults.ts';
import type { BlobWriter, Segment } from '#lib/store/port.ts';
import { SegmentMap } from '#lib/store/segments.ts';
import { attempt } from './attempt.ts';
import type { MemoryDisk, MemoryPartial } from './disk.ts';

export interface MemoryBlobWriterOptions {
  readonly disk: MemoryDisk;
  readonly clock: Clock;
}

export class MemoryBlobWriter implements BlobWriter {
  readonly digest: Digest;
  readonly #partial: MemoryPartial;
  readonly #segments: SegmentMap;
  readonly #disk: MemoryDisk;
  readonly #clock: Clock;
  #state: 'open' | 'closed' | 'committed' = 'open';

  constructor(digest: Digest, partial: MemoryPartial, { disk, clock }: MemoryBlobWriterOptions) {
    this.digest = digest;
    this.#partial = partial;
    this.#segments = new SegmentMap(partial.bytes.byteLength, partial.segmentBytes, partial.bitmap);
    this.#disk = disk;
    this.#clock = clock;
  }

  get sizeBytes(): number {
    return this.#partial.bytes.byteLength;
  }

  get receivedBytes(): number {
    return this.#segments.receivedBytes;
  }

  missing(): readonly Segment[] {
    return this.#segments.missing();
  }

  lend(lengthBytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(lengthBytes);
  }

  write(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    return attempt(() => {
      this.#assertOpen();
      this.#segments.assertInside(offset, chunk.byteLength);
      const taken = structuredClone(chunk, { transfer: [chunk.buffer] });
      this.#partial.bytes.set(taken, offset);
      this.#segments.wrote(offset, taken.byteLength);
    });
  }

  finish(segment: Segment): Promise<void> {
    return attempt(() => {
      this.#assertOpen();
      this.#segments.finish(segment.index);
      const touchedAtMs = this.#clock.now();
      const bitmap = this.#segments.bitmap();
      this.#disk.partials.set(this.digest, { ...this.#partial, bitmap, touchedAtMs });
    });
  }

  async commit(signal?: AbortSignal): Promise<void> {
    if (this.#is('committed')) return;
    this.#assertOpen();
    if (this.missing().length > 0) throw incomplete();
    const actual = await sha256(this.#partial.bytes);
    if (signal?.aborted) throw abortReason(signal);
    if (this.#is('committed')) return;
    this.#assertOpen();
    this.#disk.partials.delete(this.digest);
    if (actual === this.digest) this.#disk.blobs.set(this.digest, new Blob([this.#partial.bytes]));
    this.#release(actual === this.digest ? 'committed' : 'closed');
    if (actual !== this.digest) throw digestMismatch();
  }

  close(): Promise<void> {
    if (this.#is('open')) this.#release('closed');
    return Promise.resolve();
  }

  #assertOpen(): void {
    if (!this.#is('open')) throw writerClosed();
  }

  #is(state: 'open' | 'closed' | 'committed'): boolean {
    return this.#state === state;
  }

  #release(state: 'closed' | 'committed'): void {
    this.#state = state;
    this.#disk.held.delete(this.digest);
  }
}
