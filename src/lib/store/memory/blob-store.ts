/** The memory twin of the OPFS store: the same contract, for tests that need no browser. */
import type { Clock } from '#lib/core/clock.ts';
import { systemClock } from '#lib/core/clock.ts';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { storageFull } from '#lib/core/errors.ts';
import { abortReason, fileChanged, writerBusy } from '#lib/store/faults.ts';
import type { BlobStore, BlobWriter, HashOptions, PartialBlob, StoredBlob } from '#lib/store/port.ts';
import { defaultSegmentBytes, SegmentMap } from '#lib/store/segments.ts';
import { verifyBlob } from '#lib/store/verify.ts';
import { WholeBlobWriter } from '#lib/store/whole-writer.ts';
import { attempt } from './attempt.ts';
import { MemoryBlobWriter } from './blob-writer.ts';
import { MemoryDisk, type MemoryPartial } from './disk.ts';

export interface MemoryBlobStoreOptions {
  /** Stores on one disk are the tabs of one browser. */
  readonly disk?: MemoryDisk;
  readonly segmentBytes?: number;
  /** More than this and the disk is full. */
  readonly capacityBytes?: number;
  readonly clock?: Clock;
}

export class MemoryBlobStore implements BlobStore {
  readonly #disk: MemoryDisk;
  readonly #segmentBytes: number;
  readonly #capacityBytes: number;
  readonly #clock: Clock;

  constructor(options: MemoryBlobStoreOptions = {}) {
    this.#disk = options.disk ?? new MemoryDisk();
    this.#segmentBytes = options.segmentBytes ?? defaultSegmentBytes;
    this.#capacityBytes = options.capacityBytes ?? Infinity;
    this.#clock = options.clock ?? systemClock;
  }

  open(digest: Digest): Promise<Blob | undefined> {
    return Promise.resolve(this.#disk.blobs.get(digest));
  }

  writer(digest: Digest, sizeBytes: number): Promise<BlobWriter> {
    return attempt(() => {
      const whole = this.#disk.blobs.get(digest);
      if (whole) return new WholeBlobWriter(digest, whole.size);
      if (this.#disk.held.has(digest)) throw writerBusy(digest);
      const partial = this.#partial(digest, sizeBytes);
      this.#disk.held.add(digest);
      return new MemoryBlobWriter(digest, partial, { disk: this.#disk, clock: this.#clock });
    });
  }

  delete(digest: Digest): Promise<void> {
    this.#disk.blobs.delete(digest);
    return Promise.resolve();
  }

  list(): Promise<readonly StoredBlob[]> {
    return Promise.resolve([...this.#disk.blobs].map(([digest, { size }]) => ({ digest, sizeBytes: size })));
  }

  digests(): Promise<readonly Digest[]> {
    return Promise.resolve([...this.#disk.blobs.keys()]);
  }

  verify(digest: Digest, options?: HashOptions): Promise<'intact' | 'damaged' | 'absent'> {
    return verifyBlob(this, digest, options);
  }

  async hash(bytes: Blob, { signal, onProgress }: HashOptions = {}): Promise<Digest> {
    if (signal?.aborted) throw abortReason(signal);
    const content = await bytes.arrayBuffer().catch((error: unknown) => {
      throw fileChanged(error);
    });
    const digest = await sha256(new Uint8Array(content));
    if (signal?.aborted) throw abortReason(signal);
    onProgress?.(bytes.size);
    return digest;
  }

  partials(): Promise<readonly PartialBlob[]> {
    return Promise.resolve([...this.#disk.partials].map(describe));
  }

  discardPartial(digest: Digest): Promise<void> {
    return attempt(() => {
      if (this.#disk.held.has(digest)) throw writerBusy(digest);
      this.#disk.partials.delete(digest);
    });
  }

  #partial(digest: Digest, sizeBytes: number): MemoryPartial {
    const segmentBytes = this.#segmentBytes;
    const left = this.#disk.partials.get(digest);
    if (left?.bytes.byteLength === sizeBytes && left.segmentBytes === segmentBytes) return left;
    this.#disk.partials.delete(digest);
    if (this.#disk.usedBytes + sizeBytes > this.#capacityBytes) throw storageFull();
    const fresh: MemoryPartial = {
      bytes: new Uint8Array(sizeBytes),
      segmentBytes,
      bitmap: new SegmentMap(sizeBytes, segmentBytes).bitmap(),
      touchedAtMs: this.#clock.now(),
    };
    this.#disk.partials.set(digest, fresh);
    return fresh;
  }
}

function describe([digest, partial]: [Digest, MemoryPartial]): PartialBlob {
  const sizeBytes = partial.bytes.byteLength;
  const { receivedBytes } = new SegmentMap(sizeBytes, partial.segmentBytes, partial.bitmap);
  return { digest, sizeBytes, receivedBytes, touchedAtMs: partial.touchedAtMs };
}
