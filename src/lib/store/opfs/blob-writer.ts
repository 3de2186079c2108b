/** Writes one blob, from the runner worker: bookkeeping here, bytes and hashing in the blob worker. */
import { transfer } from 'comlink';
import type { Clock } from '#lib/core/clock.ts';
import { digestHex, type Digest } from '#lib/core/digest.ts';
import { abortable } from '#lib/store/abortable.ts';
import { digestMismatch, incomplete, writerClosed } from '#lib/store/faults.ts';
import type { Checkpoint, Progress, ProgressStore } from '#lib/store/idb/progress.ts';
import type { BlobWriter, Segment } from '#lib/store/port.ts';
import { SegmentMap } from '#lib/store/segments.ts';
import type { BlobLink } from './blob-link.ts';
import { blobsDirectory, partialDirectory, removeFile } from './directories.ts';
import type { HeldLock } from './lock.ts';
import { SpareBuffers } from './spare-buffers.ts';
import { WriteWindow } from './write-window.ts';

export interface OpfsBlobWriterOptions {
  readonly root: FileSystemDirectoryHandle;
  readonly progress: ProgressStore;
  readonly clock: Clock;
  readonly lock: HeldLock;
  readonly link: BlobLink;
  readonly segmentBytes: number;
  /** What an earlier writer left, already found trustworthy. */
  readonly resumed: Progress | undefined;
}

/** Memory that chunks may take on their way to the disk. */
const windowBytes = 16 * 1024 * 1024;

export class OpfsBlobWriter implements BlobWriter {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly #options: OpfsBlobWriterOptions;
  readonly #segments: SegmentMap;
  readonly #window = new WriteWindow(windowBytes);
  readonly #closing = new AbortController();
  /** Buffers that came back from the blob worker. As much as is on the way there at most, so it is all that is needed. */
  readonly #spares = new SpareBuffers(windowBytes);
  #checkpoint: Checkpoint | undefined;
  #touchedAtMs: number;
  #publishing: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(digest: Digest, sizeBytes: number, options: OpfsBlobWriterOptions) {
    this.digest = digest;
    this.sizeBytes = sizeBytes;
    this.#options = options;
    this.#segments = new SegmentMap(sizeBytes, options.segmentBytes, options.resumed?.bitmap);
    this.#checkpoint = options.resumed?.checkpoint;
    this.#touchedAtMs = options.resumed?.touchedAtMs ?? options.clock.now();
  }

  /** Makes the state durable for the first time and lets hashing catch up with what is there. */
  async start(): Promise<void> {
    await this.#saveProgress();
    await this.#advance();
  }

  get receivedBytes(): number {
    return this.#segments.receivedBytes;
  }

  missing(): readonly Segment[] {
    return this.#segments.missing();
  }

  lend(lengthBytes: number): Uint8Array<ArrayBuffer> {
    return this.#spares.lend(lengthBytes);
  }

  async write(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#assertOpen();
    const lengthBytes = chunk.byteLength;
    this.#segments.assertInside(offset, lengthBytes);
    this.#segments.wrote(offset, lengthBytes);
    await this.#window.add(lengthBytes, this.#send(offset, chunk));
  }

  async #send(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#spares.add(await this.#options.link.file.write(offset, transfer(chunk, [chunk.buffer])));
  }

  async finish(segment: Segment): Promise<void> {
    this.#assertOpen();
    await this.#window.settle();
    // Closed meanwhile: the worker would never answer.
    this.#assertOpen();
    this.#touchedAtMs = this.#options.clock.now();
    this.#segments.finish(segment.index);
    await this.#advance();
    await this.#saveProgress();
  }

  async commit(signal?: AbortSignal): Promise<void> {
    if (!this.#publishing) await this.#verify(signal);
    this.#publishing ??= this.#end(() => this.#publish());
    await this.#publishing;
  }

  close(): Promise<void> {
    this.#closing.abort(writerClosed());
    return this.#end(() => this.#keep());
  }

  async #verify(signal: AbortSignal | undefined): Promise<void> {
    this.#assertOpen();
    if (this.missing().length > 0) throw incomplete();
    const signals = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    const actual = await abortable(this.#options.link.file.digest(), AbortSignal.any(signals));
    if (actual === this.digest) return;
    await this.#end(() => this.#discard());
    throw digestMismatch();
  }

  async #publish(): Promise<void> {
    const { root, link, progress } = this.#options;
    await link.file.close();
    const partial = await partialDirectory(root);
    const file = await partial.getFileHandle(digestHex(this.digest));
    await file.move(await blobsDirectory(root), digestHex(this.digest));
    // A kill before this line leaves a record without a file: `sweep` removes it, `writer` never gets to it.
    await progress.remove(this.digest);
  }

  async #discard(): Promise<void> {
    const { root, link, progress } = this.#options;
    await link.file.close();
    // The record goes first: a file without a record is never trusted.
    await progress.remove(this.digest);
    await removeFile(await partialDirectory(root), digestHex(this.digest));
  }

  async #keep(): Promise<void> {
    this.#checkpoint = (await this.#options.link.file.close()) ?? this.#checkpoint;
    await this.#saveProgress();
  }

  async #advance(): Promise<void> {
    const checkpoint = await this.#options.link.file.advance(this.#segments.frontierBytes);
    this.#checkpoint = checkpoint ?? this.#checkpoint;
  }

  #saveProgress(): Promise<void> {
    const { progress, segmentBytes } = this.#options;
    return progress.put(this.digest, {
      sizeBytes: this.sizeBytes,
      segmentBytes,
      bitmap: this.#segments.bitmap(),
      checkpoint: this.#checkpoint,
      touchedAtMs: this.#touchedAtMs,
    });
  }

  #assertOpen(): void {
    if (this.#ending) throw writerClosed();
  }

  /** The first way to end wins; whatever happens, the worker ends and the digest is let go. */
  #end(how: () => Promise<void>): Promise<void> {
    this.#ending ??= this.#endBy(how);
    return this.#ending;
  }

  async #endBy(how: () => Promise<void>): Promise<void> {
    try {
      await how();
    } finally {
      this.#options.link.terminate();
      await this.#options.lock.release();
    }
  }
}
