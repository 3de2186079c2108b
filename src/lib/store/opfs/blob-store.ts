/** Blobs in the origin private file system. Lives in the runner worker; each writer has a worker of its own. */
import type { Clock } from '#lib/core/clock.ts';
import { digestHex, type Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import { writerBusy } from '#lib/store/faults.ts';
import type { Progress, ProgressStore } from '#lib/store/idb/progress.ts';
import type { BlobStore, BlobWriter, HashOptions, PartialBlob, StoredBlob } from '#lib/store/port.ts';
import { bitmapBytes, defaultSegmentBytes, SegmentMap } from '#lib/store/segments.ts';
import { verifyBlob } from '#lib/store/verify.ts';
import { WholeBlobWriter } from '#lib/store/whole-writer.ts';
import { openBlobLink } from './blob-link.ts';
import { OpfsBlobWriter } from './blob-writer.ts';
import {
  blobsDirectory,
  digestOfName,
  fileNames,
  findFile,
  partialDirectory,
  removeFile,
} from './directories.ts';
import { hashBlob } from './hash-blob.ts';
import { tryLockBlob, type HeldLock, type Locks } from './lock.ts';
import type { HashLimits } from './worker-api.ts';

export interface BlobLimits extends HashLimits {
  readonly segmentBytes: number;
}

export const defaultLimits: BlobLimits = {
  segmentBytes: defaultSegmentBytes,
  pieceBytes: 4 * 1024 * 1024,
  checkpointBytes: 64 * 1024 * 1024,
  inlineHashBytes: 8 * 1024 * 1024,
};

export interface OpfsBlobStoreOptions {
  /** A directory of the origin private file system. */
  readonly root: FileSystemDirectoryHandle;
  readonly locks: Locks;
  readonly progress: ProgressStore;
  /** `src/workers/blob.worker.ts`. */
  readonly createWorker: () => Worker;
  /** `src/workers/hash.worker.ts`. */
  readonly createHashWorker: () => Worker;
  readonly clock: Clock;
  readonly limits?: BlobLimits;
}

export class OpfsBlobStore implements BlobStore {
  readonly #options: OpfsBlobStoreOptions;
  readonly #limits: BlobLimits;
  /** Found once: each look for it costs as much as a deletion. A handle is a path, so it outlives its directory. */
  #blobs: Promise<FileSystemDirectoryHandle> | undefined;
  /** Deletions on their way to the disk. */
  readonly #deletions = new Map<Digest, Promise<void>>();

  constructor(options: OpfsBlobStoreOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    // Who opens a blob after its deletion was asked for must not get what is gone a moment later.
    await this.#deletions.get(digest)?.catch(() => undefined);
    return findFile(await this.#blobsDirectory(), digestHex(digest));
  }

  async writer(digest: Digest, sizeBytes: number): Promise<BlobWriter> {
    const whole = await this.open(digest);
    if (whole) return new WholeBlobWriter(digest, whole.size);
    const lock = await this.#lock(digest);
    try {
      return await this.#lockedWriter(digest, sizeBytes, lock);
    } catch (error) {
      await lock.release();
      throw toApiError(error);
    }
  }

  delete(digest: Digest): Promise<void> {
    const earlier = this.#deletions.get(digest)?.catch(() => undefined) ?? Promise.resolve();
    const deletion: Promise<void> = earlier
      .then(() => this.#removeBlob(digest))
      .finally(() => {
        if (this.#deletions.get(digest) === deletion) this.#deletions.delete(digest);
      });
    this.#deletions.set(digest, deletion);
    return deletion;
  }

  async list(): Promise<readonly StoredBlob[]> {
    const blobs = await blobsDirectory(this.#options.root);
    const found = (await digestsIn(blobs)).map(async (digest) => {
      const file = await findFile(blobs, digestHex(digest));
      return file ? [{ digest, sizeBytes: file.size }] : [];
    });
    return (await Promise.all(found)).flat();
  }

  async digests(): Promise<readonly Digest[]> {
    return digestsIn(await blobsDirectory(this.#options.root));
  }

  verify(digest: Digest, options?: HashOptions): Promise<'intact' | 'damaged' | 'absent'> {
    return verifyBlob(this, digest, options);
  }

  hash(bytes: Blob, options?: HashOptions): Promise<Digest> {
    const { createHashWorker } = this.#options;
    const { inlineHashBytes } = this.#limits;
    return hashBlob(bytes, { ...options, createHashWorker, inlineHashBytes });
  }

  async partials(): Promise<readonly PartialBlob[]> {
    const names = new Set(await fileNames(await partialDirectory(this.#options.root)));
    const records = await this.#options.progress.list();
    return [...records].filter(([digest]) => names.has(digestHex(digest))).map(describe);
  }

  async discardPartial(digest: Digest): Promise<void> {
    const lock = await this.#lock(digest);
    try {
      await this.#removePartial(digest);
    } finally {
      await lock.release();
    }
  }

  async #removeBlob(digest: Digest): Promise<void> {
    await removeFile(await this.#blobsDirectory(), digestHex(digest));
  }

  #blobsDirectory(): Promise<FileSystemDirectoryHandle> {
    this.#blobs ??= blobsDirectory(this.#options.root).catch((error: unknown) => {
      this.#blobs = undefined;
      throw error;
    });
    return this.#blobs;
  }

  /** Throws `conflict`. */
  async #lock(digest: Digest): Promise<HeldLock> {
    const lock = await tryLockBlob(this.#options.locks, digest);
    if (!lock) throw writerBusy(digest);
    return lock;
  }

  async #lockedWriter(digest: Digest, sizeBytes: number, lock: HeldLock): Promise<BlobWriter> {
    const whole = await this.open(digest);
    if (whole) {
      await lock.release();
      return new WholeBlobWriter(digest, whole.size);
    }
    const resumed = await this.#resumable(digest, sizeBytes);
    if (!resumed) await this.#removePartial(digest);
    const link = await this.#openLink(digest, sizeBytes, resumed);
    const { segmentBytes } = this.#limits;
    const writer = new OpfsBlobWriter(digest, sizeBytes, {
      ...this.#options,
      lock,
      link,
      segmentBytes,
      resumed,
    });
    try {
      await writer.start();
    } catch (error) {
      link.terminate();
      throw error;
    }
    return writer;
  }

  /** What an earlier writer left, unless record, file and request disagree: then nothing of it is trusted. */
  async #resumable(digest: Digest, sizeBytes: number): Promise<Progress | undefined> {
    const record = await this.#options.progress.get(digest);
    const file = await findFile(await partialDirectory(this.#options.root), digestHex(digest));
    if (!record || file?.size !== sizeBytes || record.sizeBytes !== sizeBytes) return undefined;
    const { segmentBytes } = this.#limits;
    if (record.segmentBytes !== segmentBytes) return undefined;
    if (record.bitmap.byteLength !== bitmapBytes(sizeBytes, segmentBytes)) return undefined;
    const { frontierBytes } = new SegmentMap(sizeBytes, segmentBytes, record.bitmap);
    if (record.checkpoint && record.checkpoint.hashedBytes > frontierBytes) return undefined;
    return record;
  }

  async #openLink(digest: Digest, sizeBytes: number, resumed: Progress | undefined) {
    const partial = await partialDirectory(this.#options.root);
    const file = await partial.getFileHandle(digestHex(digest), { create: true });
    const originRoot = await navigator.storage.getDirectory();
    const path = (await originRoot.resolve(file)) ?? [];
    const start = resumed
      ? ({ kind: 'resume', checkpoint: resumed.checkpoint } as const)
      : ({ kind: 'fresh' } as const);
    try {
      return await openBlobLink(this.#options.createWorker(), { ...this.#limits, path, sizeBytes, start });
    } catch (error) {
      if (!resumed) await this.#removePartial(digest);
      throw error;
    }
  }

  /** The record goes first: a file without a record is never trusted, a record without a file might be. */
  async #removePartial(digest: Digest): Promise<void> {
    await this.#options.progress.remove(digest);
    await removeFile(await partialDirectory(this.#options.root), digestHex(digest));
  }
}

async function digestsIn(directory: FileSystemDirectoryHandle): Promise<readonly Digest[]> {
  return (await fileNames(directory)).map(digestOfName).filter((digest) => digest !== undefined);
}

function describe([digest, { sizeBytes, segmentBytes, bitmap, touchedAtMs }]: [
  Digest,
  Progress,
]): PartialBlob {
  const { receivedBytes } = new SegmentMap(sizeBytes, segmentBytes, bitmap);
  return { digest, sizeBytes, receivedBytes, touchedAtMs };
}
