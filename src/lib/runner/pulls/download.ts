/** One layer from its registry into the store: parallel ranges, resumable, verified. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { Descriptor } from '#lib/model/manifest.ts';
import type { LayerBody, ResolvedModel } from '#lib/registry/port.ts';
import type { BlobStore, BlobWriter, Segment } from '#lib/store/port.ts';
import type { Network } from './network.ts';
import { retrying } from './retry.ts';
import { openChunks, type Chunks } from './chunks.ts';
import { SegmentSink } from './sink.ts';
import { SpanQueue, type Span } from './spans.ts';

export interface DownloadOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly network: Network;
  readonly signal: AbortSignal;
  /** Told after every write. */
  readonly onProgress: (receivedBytes: number) => void;
  readonly onRetry: (waitingFor: 'registry' | 'network') => void;
  readonly onVerify: () => void;
}

const connections = 4;
/** A connection that delivers nothing for this long is cut and asked again. */
const idleMs = 60_000;
const openAttempts = 20;
const openWaitMs = 250;

/** Resolves when the layer is stored and verified; at once when it already is. */
export async function downloadLayer(
  model: ResolvedModel,
  layer: Descriptor,
  options: DownloadOptions,
): Promise<void> {
  if (await options.store.open(layer.digest)) {
    options.onProgress(layer.size);
    return;
  }
  const writer = await openWriter(layer, options);
  try {
    options.onProgress(writer.receivedBytes);
    await new LayerDownload(model, layer, writer, options).run();
    options.onVerify();
    await writer.commit(options.signal);
    options.onProgress(layer.size);
  } finally {
    await writer.close();
  }
}

/** The worker of a host that was killed may hold the file for a moment longer. */
async function openWriter(layer: Descriptor, { store, clock, signal }: DownloadOptions): Promise<BlobWriter> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.writer(layer.digest, layer.size);
    } catch (thrown) {
      if (toApiError(thrown).code !== 'conflict' || attempt === openAttempts) throw thrown;
      await sleep(clock, openWaitMs, signal);
    }
  }
}

class LayerDownload {
  readonly #model: ResolvedModel;
  readonly #layer: Descriptor;
  readonly #writer: BlobWriter;
  readonly #options: DownloadOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  /** A server that ignores ranges sends everything; then one connection reads it all. */
  #rangesWork = true;

  constructor(model: ResolvedModel, layer: Descriptor, writer: BlobWriter, options: DownloadOptions) {
    this.#model = model;
    this.#layer = layer;
    this.#writer = writer;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
  }

  async run(): Promise<void> {
    const spans = new SpanQueue(this.#writer.missing(), connections);
    const workers = Array.from({ length: connections }, () => this.#work(spans));
    const [failure] = (await Promise.allSettled(workers)).filter((result) => result.status === 'rejected');
    this.#options.signal.throwIfAborted();
    if (!this.#rangesWork) return this.#fetchWhole();
    // The first failure aborted the others; it is the one that says why.
    if (failure) throw this.#abort.signal.reason;
  }

  async #work(spans: SpanQueue): Promise<void> {
    try {
      for (let span = spans.take(); span; span = spans.take()) await this.#fetchSpan(span);
    } catch (thrown) {
      this.#abort.abort(thrown);
      throw thrown;
    }
  }

  #fetchSpan(span: Span): Promise<void> {
    const to = span.at(-1)?.to ?? 0;
    return this.#retrying(span, async (sink) => {
      const body = await this.#fetch(sink.offset, to);
      if (body.from !== sink.offset) {
        this.#rangesWork = false;
        await body.stream.cancel();
        throw new ApiError('aborted', 'The registry does not answer ranges.');
      }
      await this.#pour(body, sink, this.#signal);
    });
  }

  async #fetchWhole(): Promise<void> {
    const missing = this.#writer.missing();
    await retrying(
      async () => {
        const { signal } = this.#options;
        const body = await this.#model.fetchLayer(this.#layer, { from: 0, to: this.#layer.size }, signal);
        await this.#pour(body, new SegmentSink(this.#writer, this.#writer.missing(), body.from), signal);
      },
      () => missing.length - this.#writer.missing().length,
      this.#options,
    );
  }

  /** One sink for all attempts: what arrived before a cut is kept, and the next attempt asks from there. */
  #retrying(segments: readonly Segment[], attempt: (sink: SegmentSink) => Promise<void>): Promise<void> {
    const sink = new SegmentSink(this.#writer, segments, segments[0]?.from ?? 0);
    return retrying(
      () => attempt(sink),
      () => sink.offset,
      { ...this.#options, signal: this.#signal },
    );
  }

  #fetch(from: number, to: number): Promise<LayerBody> {
    return this.#model.fetchLayer(this.#layer, { from, to }, this.#signal);
  }

  async #pour(body: LayerBody, sink: SegmentSink, signal: AbortSignal): Promise<void> {
    const chunks = openChunks(body.stream);
    try {
      while (!sink.done) {
        const chunk = await this.#readOrStall(chunks, signal);
        if (!chunk)
          throw new ApiError('registry_unreachable', 'The connection to the registry was cut. Try again.');
        await sink.add(chunk);
        this.#options.onProgress(this.#writer.receivedBytes);
      }
      await sink.settle();
    } finally {
      // Ends the connection where more is coming than was asked for; a failed stream has nothing left to cancel.
      await chunks.cancel().catch(() => undefined);
    }
  }

  async #readOrStall(chunks: Chunks, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { promise: stalled, cancel } = this.#stallTimer();
    try {
      return await Promise.race([chunks.next(), stalled]);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof ApiError) throw thrown;
      throw new ApiError('registry_unreachable', 'The connection to the registry was cut. Try again.', {
        cause: thrown,
      });
    } finally {
      cancel();
    }
  }

  #stallTimer(): { promise: Promise<never>; cancel: () => void } {
    let cancel: () => void = () => undefined;
    const promise = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(idleMs, () =>
        reject(new ApiError('registry_unreachable', 'The registry stopped sending. Try again.')),
      );
    });
    return { promise, cancel };
  }
}
