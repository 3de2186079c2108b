/**
 * One unfinished blob, inside the blob worker: writes chunks anywhere, and hashes behind the contiguous frontier while
 * the download goes on. Bytes are read back from the page cache (16 GB/s), so chunks need not arrive in order.
 */
import { transfer } from 'comlink';
import type { Digest } from '#lib/core/digest.ts';
import { storageFull, toApiError } from '#lib/core/errors.ts';
import { writerClosed } from '#lib/store/faults.ts';
import type { Checkpoint } from '#lib/store/idb/progress.ts';
import type { Hasher } from './sha256.ts';

/** The part of `FileSystemSyncAccessHandle` that is used; DOM libraries do not know that type. */
export interface SyncFile {
  read(buffer: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(buffer: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(sizeBytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

export interface BlobFileOptions {
  readonly hasher: Hasher;
  /** How far `hasher` is already. */
  readonly hashedBytes: number;
  /** Below 1 MiB hash-wasm loses 40 % of its speed. */
  readonly pieceBytes: number;
  /** How much is hashed between two checkpoints. */
  readonly checkpointBytes: number;
}

/** While one buffer is hashed in the other worker, the next is filled here. */
const lanes = 2;

export class BlobFile {
  readonly #file: SyncFile;
  readonly #hasher: Hasher;
  readonly #pieceBytes: number;
  readonly #checkpointBytes: number;
  #frontierBytes = 0;
  /** Read back and handed to the hasher. */
  #readBytes: number;
  /** After the last piece that was hashed. */
  #checkpoint: Checkpoint | undefined;
  /** Its bytes are flushed. */
  #safeCheckpoint: Checkpoint | undefined;
  #safeBytes: number;
  #hashing: Promise<void> = Promise.resolve();
  #digest: Promise<Digest> | undefined;
  #closed = false;
  /** Of lanes that ended, for those to come. */
  readonly #spares: ArrayBuffer[] = [];

  constructor(file: SyncFile, options: BlobFileOptions) {
    this.#file = file;
    this.#hasher = options.hasher;
    this.#pieceBytes = options.pieceBytes;
    this.#checkpointBytes = options.checkpointBytes;
    this.#readBytes = options.hashedBytes;
    this.#safeBytes = options.hashedBytes;
  }

  /**
   * What lies before the frontier is left out: it may be hashed already, and what was verified must not change.
   * Gives the chunk's buffer back to be filled anew: a gigabyte of dead buffers waits long for the collector.
   * Throws `storage_full`.
   */
  write(offset: number, chunk: Uint8Array<ArrayBuffer>): ArrayBuffer {
    if (this.#closed) throw writerClosed();
    const at = Math.max(offset, this.#frontierBytes);
    const open = chunk.subarray(at - offset);
    try {
      // A full disk shows as an error or as a short write.
      if (this.#file.write(open, { at }) < open.byteLength) throw storageFull();
    } catch (error) {
      throw toApiError(error);
    }
    return transfer(chunk.buffer, [chunk.buffer]);
  }

  /**
   * Everything before `frontierBytes` has its final bytes: hashing may go that far, and goes on in the background.
   * Returns the last checkpoint that is safe to keep.
   */
  advance(frontierBytes: number): Checkpoint | undefined {
    if (this.#closed) throw writerClosed();
    this.#frontierBytes = frontierBytes;
    this.#hashing = this.#hashing.then(() => this.#hashToFrontier());
    // A failure is reported by digest() and close(), which await the same promise.
    this.#hashing.catch(() => undefined);
    return this.#safeCheckpoint;
  }

  /** The digest of everything before the frontier. Rejects with `aborted` when the file is closed meanwhile. */
  async digest(): Promise<Digest> {
    await this.#hashing;
    if (this.#closed) throw writerClosed();
    this.#digest ??= Promise.resolve(this.#hasher.digest());
    return this.#digest;
  }

  /** Resolves, with the last checkpoint, once the bytes are on the disk and the file is free. */
  async close(): Promise<Checkpoint | undefined> {
    this.#closed = true;
    try {
      await this.#hashing;
      this.#flush();
      return this.#safeCheckpoint;
    } finally {
      this.#file.close();
    }
  }

  /** Flushes first: a hash state that knows bytes which a power cut takes away would vouch for a broken blob. */
  #flush(): void {
    this.#file.flush();
    this.#safeCheckpoint = this.#checkpoint;
    this.#safeBytes = this.#checkpoint?.hashedBytes ?? this.#safeBytes;
  }

  async #hashToFrontier(): Promise<void> {
    await Promise.all(Array.from({ length: lanes }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    if (this.#readBytes >= this.#frontierBytes) return;
    let buffer = this.#spares.pop() ?? new ArrayBuffer(this.#pieceBytes);
    while (!this.#closed && this.#readBytes < this.#frontierBytes) {
      const lengthBytes = Math.min(this.#pieceBytes, this.#frontierBytes - this.#readBytes);
      this.#file.read(new Uint8Array(buffer, 0, lengthBytes), { at: this.#readBytes });
      this.#readBytes += lengthBytes;
      const hashedBytes = this.#readBytes;
      const hashed = await this.#hasher.update(transfer(buffer, [buffer]), lengthBytes);
      this.#checkpoint = { hashedBytes, hashState: hashed.hashState };
      buffer = hashed.buffer;
      if (hashedBytes - this.#safeBytes >= this.#checkpointBytes) this.#flush();
    }
    this.#spares.push(buffer);
  }
}

/** Makes the file empty and reserves its whole size, which counts against the quota at once. Throws `storage_full`. */
export function reserve(file: SyncFile, sizeBytes: number): void {
  try {
    file.truncate(0);
    file.truncate(sizeBytes);
    // A private window of Chromium keeps files in memory; truncating beyond that neither throws nor does anything.
    if (file.getSize() !== sizeBytes) throw storageFull();
  } catch (error) {
    throw toApiError(error);
  }
}
