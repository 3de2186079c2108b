/** Brings one blob into the store from a stream that is read once from start to end: a file, a member of a tar. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { abortable } from './abortable.ts';
import { readBytes, type ByteReader } from '#lib/core/byte-reader.ts';
import { abortReason, notWhatItSays, sourceBroken, sourceTooLong, sourceTooShort } from './faults.ts';
import type { BlobStore, BlobWriter, Segment } from './port.ts';

export interface IngestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told after every write. */
  readonly onProgress?: ((receivedBytes: number) => void) | undefined;
}

/** Large enough for fast hashing and few messages. */
const pieceBytes = 1024 * 1024;

/**
 * Resolves when the blob is stored and verified; `source` is taken over, and ended when it is not needed to its end.
 * Bytes that are there already are not written again; when all are, `source` is not read.
 * Throws `digest_mismatch`, `storage_full`, `aborted`, `conflict` while another writer holds the digest, and
 * `invalid_request` for a source that breaks off or has another size. Then nothing stays behind, except what an
 * unfinished download had left before.
 */
export async function ingest(
  store: BlobStore,
  digest: Digest,
  sizeBytes: number,
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: IngestOptions = {},
): Promise<void> {
  const bytes = readBytes(source);
  try {
    const { signal } = options;
    if (signal?.aborted) throw abortReason(signal);
    const writer = await store.writer(digest, sizeBytes);
    const isResumed = writer.receivedBytes > 0;
    try {
      if (writer.sizeBytes !== sizeBytes) throw notWhatItSays();
      await new Ingestion(writer, bytes, options).run();
      await writer.commit(signal);
    } catch (thrown) {
      await letGo(store, writer, isResumed ? 'keep' : 'drop');
      throw inWordsForFiles(thrown);
    }
  } finally {
    // A stream that failed has nothing left to cancel.
    await bytes.cancel().catch(() => undefined);
  }
}

class Ingestion {
  readonly #writer: BlobWriter;
  readonly #bytes: ByteReader;
  readonly #options: IngestOptions;
  #offset = 0;
  /** The mark of the last segment, made durable while the next one is read. */
  #finishing: Promise<void> = Promise.resolve();

  constructor(writer: BlobWriter, bytes: ByteReader, options: IngestOptions) {
    this.#writer = writer;
    this.#bytes = bytes;
    this.#options = options;
  }

  async run(): Promise<void> {
    const missing = this.#writer.missing();
    if (missing.length === 0 && this.#writer.sizeBytes > 0) return;
    for (const segment of missing) {
      await this.#skipTo(segment.from);
      await this.#write(segment);
      await this.#finish(segment);
    }
    await this.#skipTo(this.#writer.sizeBytes);
    await this.#finishing;
    await this.#assertEnded();
  }

  async #write(segment: Segment): Promise<void> {
    while (this.#offset < segment.to) {
      const room = this.#writer.lend(Math.min(pieceBytes, segment.to - this.#offset));
      const at = this.#offset;
      await this.#writer.write(at, await this.#read(room));
      this.#options.onProgress?.(this.#writer.receivedBytes);
    }
  }

  async #finish(segment: Segment): Promise<void> {
    await this.#finishing;
    this.#finishing = this.#writer.finish(segment);
    // Its failure is thrown by whoever awaits it next; until then it must not count as unhandled.
    this.#finishing.catch(() => undefined);
  }

  /** Past what an unfinished download had brought already. */
  async #skipTo(offset: number): Promise<void> {
    if (this.#offset === offset) return;
    let buffer = this.#writer.lend(pieceBytes).buffer;
    while (this.#offset < offset) {
      const room = new Uint8Array(buffer, 0, Math.min(pieceBytes, offset - this.#offset));
      ({ buffer } = await this.#read(room));
    }
  }

  async #read(room: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const wantedBytes = room.byteLength;
    const read = await this.#fill(room);
    if (read.byteLength < wantedBytes) throw sourceTooShort();
    this.#offset += wantedBytes;
    return read;
  }

  async #assertEnded(): Promise<void> {
    const more = await this.#fill(new Uint8Array(1));
    if (more.byteLength > 0) throw sourceTooLong();
  }

  async #fill(room: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { signal } = this.#options;
    try {
      return await abortable(this.#bytes.fill(room), signal);
    } catch (thrown) {
      if (signal?.aborted) throw abortReason(signal);
      throw thrown instanceof ApiError ? thrown : sourceBroken(thrown);
    }
  }
}

async function letGo(store: BlobStore, writer: BlobWriter, unfinished: 'keep' | 'drop'): Promise<void> {
  try {
    await writer.close();
    if (unfinished === 'drop') await store.discardPartial(writer.digest);
  } catch {
    // Another writer has it now, or the disk fails: the first failure says why, and a later sweep takes the rest.
  }
}

/** The store speaks of pulling again, which is no help to who brought a file. */
function inWordsForFiles(thrown: unknown): unknown {
  return thrown instanceof ApiError && thrown.code === 'digest_mismatch' ? notWhatItSays() : thrown;
}
