/** Where models are kept. Content-addressed bytes (`BlobStore`) and names for them (`ModelIndex`). */
import type { Digest } from '#lib/core/digest.ts';

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Bytes of a blob that is not whole yet. */
export interface PartialBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly receivedBytes: number;
  /** When bytes last arrived, in milliseconds since the epoch. */
  readonly touchedAtMs: number;
}

export interface HashOptions {
  /** Rejects with the signal's reason as an `ApiError`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((hashedBytes: number) => void) | undefined;
}

export interface BlobStore {
  /** The whole, verified blob, never copied; `undefined` when it is absent. */
  open(digest: Digest): Promise<Blob | undefined>;
  /**
   * Starts or resumes writing. Nothing is visible under `digest` until `commit` resolves.
   * Throws `conflict` while another writer holds the digest, in any tab; `storage_full` when `sizeBytes` cannot be reserved.
   */
  writer(digest: Digest, sizeBytes: number): Promise<BlobWriter>;
  /** Idempotent. What is opened or written after the call finds the blob gone, even before the promise resolves. */
  delete(digest: Digest): Promise<void>;
  list(): Promise<readonly StoredBlob[]>;
  /** As `list` without opening a file: 10 000 blobs are named in a fraction of a second. */
  digests(): Promise<readonly Digest[]>;
  /** Reads the whole blob again. `damaged` when its bytes are not what its digest says; nothing is changed. */
  verify(digest: Digest, options?: HashOptions): Promise<'intact' | 'damaged' | 'absent'>;
  /** The digest of any bytes, hashed off this thread; flat memory. */
  hash(bytes: Blob, options?: HashOptions): Promise<Digest>;
  partials(): Promise<readonly PartialBlob[]>;
  /** Drops what an unfinished writer left; idempotent. */
  discardPartial(digest: Digest): Promise<void>;
}

/** A half-open byte range `[from, to)` of the blob, fetched by one request. */
export interface Segment {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

export interface BlobWriter {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Bytes of finished segments plus bytes written since. */
  readonly receivedBytes: number;
  /** Segments that are not finished, in order. A finished one stays finished across a kill of the browser. */
  missing(): readonly Segment[];
  /** A buffer to fill for the next `write`, perhaps one that was written before: what it holds is undefined. */
  lend(lengthBytes: number): Uint8Array<ArrayBuffer>;
  /**
   * Writes `chunk` at the absolute `offset` and takes it over (its buffer is detached).
   * Resolves when more may be written, which is the back-pressure. Throws `storage_full`.
   */
  write(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Marks a segment as wholly written; resolves after that is durable. */
  finish(segment: Segment): Promise<void>;
  /**
   * Once nothing is missing: verifies the digest and publishes the blob, in that order.
   * Throws `digest_mismatch` and keeps nothing when the bytes are not what they should be.
   */
  commit(signal?: AbortSignal): Promise<void>;
  /** Lets go of the digest and keeps what was received; idempotent. */
  close(): Promise<void>;
}

/** A model as the index keeps it. `id` is the sha256 of `manifest`. */
export interface IndexedModel {
  readonly id: Digest;
  /** Raw manifest bytes, exactly as the registry served them. */
  readonly manifest: Uint8Array<ArrayBuffer>;
  /** Raw config bytes. */
  readonly config: Uint8Array<ArrayBuffer>;
  /** Canonical references (`docker.io/ai/smollm2:latest`), oldest first. */
  readonly tags: readonly string[];
  readonly addedAtMs: number;
  /** When it last answered a request; `undefined` until it did. */
  readonly lastUsedAtMs?: number | undefined;
}

/**
 * Every verb is one transaction: a kill at any point leaves the state before or after it.
 * The bytes of a model that is handed out are shared with the index: nobody may change or transfer them.
 */
export interface ModelIndex {
  list(): Promise<readonly IndexedModel[]>;
  get(id: Digest): Promise<IndexedModel | undefined>;
  /** The model that `tag` (canonical) names. */
  find(tag: string): Promise<IndexedModel | undefined>;
  /** Adds the model if it is new and points `tags` at it; a tag names one model, so each leaves any other. */
  put(model: Omit<IndexedModel, 'tags'>, tags: readonly string[]): Promise<void>;
  /** Points one more tag at a model that is there. Throws `model_not_found`. */
  tag(id: Digest, tag: string): Promise<void>;
  /** Notes a use; does nothing when the model is gone. */
  touch(id: Digest, lastUsedAtMs: number): Promise<void>;
  /** Takes `tag` off; the model stays, even without tags. */
  untag(tag: string): Promise<void>;
  /** Removes the model and all its tags. */
  remove(id: Digest): Promise<void>;
}

/** How each model is to run, as the runner writes and reads it. */
export interface ModelSettingsStore {
  /** As it was put: the reader judges it. `undefined` when nothing was. */
  get(id: Digest): Promise<unknown>;
  list(): Promise<ReadonlyMap<Digest, unknown>>;
  /** `value` must be structured-cloneable; `undefined` counts as nothing. */
  put(id: Digest, value: unknown): Promise<void>;
  /** Idempotent. */
  remove(id: Digest): Promise<void>;
}
