/** Files that a person brings in to package them: stored as blobs, and kept for this session until a model names them. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { BlobJson } from '#lib/model/wire.ts';
import { ingest } from '#lib/store/ingest.ts';
import type { BlobStore } from '#lib/store/port.ts';
import type { Pins } from './pins.ts';

export interface UploadOptions {
  readonly signal: AbortSignal;
  /** Every byte is read twice: once for the digest, which is the blob's name, and once to store it. */
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

export class Uploads {
  readonly #store: BlobStore;
  readonly #pins: Pins;
  readonly #releases = new Map<Digest, () => void>();

  constructor(store: BlobStore, pins: Pins) {
    this.#store = store;
    this.#pins = pins;
  }

  async add(file: Blob, { signal, onProgress }: UploadOptions): Promise<BlobJson> {
    if (file.size === 0)
      throw new ApiError('invalid_request', 'The file is empty. Send its bytes as the body.');
    const total = 2 * file.size;
    const digest = await this.#store.hash(file, { signal, onProgress: (bytes) => onProgress(bytes, total) });
    const release = this.#pins.hold([digest]);
    try {
      await ingest(this.#store, digest, file.size, file.stream(), {
        signal,
        onProgress: (bytes) => onProgress(file.size + bytes, total),
      });
    } catch (thrown) {
      release();
      throw thrown;
    }
    this.#releases.get(digest)?.();
    this.#releases.set(digest, release);
    return { digest, size_bytes: file.size };
  }

  /** A model names them now. */
  settle(digests: Iterable<Digest>): void {
    for (const digest of digests) {
      this.#releases.get(digest)?.();
      this.#releases.delete(digest);
    }
  }
}
