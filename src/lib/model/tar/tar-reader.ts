/** Reads an archive as it streams in, entry by entry; bodies are views into the chunks that arrived, never copies. */
import { EntryAssembler, paddedBytes, type TarEntryHead } from './entry.ts';
import { blockBytes, parseTarHeader, type TarHeader } from './header.ts';
import { ChunkSource } from './chunk-source.ts';

export interface StreamedEntry extends TarEntryHead {
  /**
   * Read it before the next entry is asked for, or leave it: what is left of it is then passed over. Its chunks are
   * views that share a buffer with what follows, so copy out of them and never transfer them.
   */
  readonly body: ReadableStream<Uint8Array>;
}

/** Tape records are 10 KiB; what follows without end is not waited for. */
const maxPaddingBytes = 1024 * 1024;

export class TarReader {
  readonly #source: ChunkSource;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#source = new ChunkSource(stream);
  }

  /** Once only; reads the stream to its end. Leaving the loop early cancels the stream. Throws `unsupported_model_format`. */
  async *entries(): AsyncGenerator<StreamedEntry, void, void> {
    const assembler = new EntryAssembler();
    try {
      for (let header = await this.#header(); header; header = await this.#header()) {
        const extensionBytes = assembler.extensionBytes(header);
        if (extensionBytes !== undefined) {
          assembler.extend(header, await this.#source.take(extensionBytes));
          await this.#source.skip(paddedBytes(extensionBytes) - extensionBytes);
          continue;
        }
        const entry = assembler.entry(header);
        const body = new EntryBody(this.#source, entry.sizeBytes);
        yield { ...entry, body: body.stream };
        await body.pass();
        await this.#source.skip(paddedBytes(entry.sizeBytes) - entry.sizeBytes);
      }
      assembler.finish();
      // Archives are padded, and who sends one may take it for a failure when the padding is refused.
      await this.#source.drain(maxPaddingBytes);
    } finally {
      await this.#source.cancel();
    }
  }

  async #header(): Promise<TarHeader | undefined> {
    if (await this.#source.ended()) return undefined;
    return parseTarHeader(await this.#source.take(blockBytes));
  }
}

/** The bytes of one entry, while it is the current one. */
class EntryBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #source: ChunkSource;
  #leftBytes: number;
  #passed = false;
  #pulling: Promise<void> = Promise.resolve();

  constructor(source: ChunkSource, sizeBytes: number) {
    this.#source = source;
    this.#leftBytes = sizeBytes;
    this.stream = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          this.#pulling = this.#pull(controller);
          return this.#pulling;
        },
      },
      // Nothing is read ahead of who reads it.
      { highWaterMark: 0 },
    );
  }

  /** Passes over what was not read; the stream is dead from then on. */
  async pass(): Promise<void> {
    this.#passed = true;
    // A read that is on its way takes its chunk first; its reader hears of a failure, and `skip` finds the same.
    await this.#pulling.catch(() => undefined);
    await this.#source.skip(this.#leftBytes);
    this.#leftBytes = 0;
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#passed && this.#leftBytes > 0) throw new Error('the entry was passed before it was read');
    if (this.#leftBytes > 0) {
      const chunk = await this.#source.next(this.#leftBytes);
      this.#leftBytes -= chunk.byteLength;
      controller.enqueue(chunk);
    }
    if (this.#leftBytes === 0) controller.close();
  }
}
