/** Deletes what no model and no download needs. */
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import { abortReason } from './faults.ts';
import type { BlobStore, PartialBlob } from './port.ts';

export interface Collected {
  /** Whole and unfinished ones. */
  readonly removedBlobs: number;
  /** Of an unfinished blob what had arrived. */
  readonly freedBytes: number;
}

export interface GarbageOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Deletes wait for the disk, not for this thread. */
const parallelDeletes = 32;

/**
 * `isNeeded` is asked immediately before each delete and nothing runs in between; from that delete on nobody can open
 * the blob. So a download that first makes itself known to `isNeeded` and then looks for its blobs never loses one.
 * What a writer holds is left alone. Throws `aborted`; what was deleted by then stays deleted.
 */
export async function collectGarbage(
  store: BlobStore,
  isNeeded: (digest: Digest) => boolean,
  options: GarbageOptions = {},
): Promise<Collected> {
  const [digests, partials] = await Promise.all([store.digests(), store.partials()]);
  const collector = new Collector(store, isNeeded);
  const work = [
    ...digests.map((digest) => () => collector.removeWhole(digest)),
    ...partials.map((partial) => () => collector.removePartial(partial)),
  ];
  await runAll(work, options.signal);
  return collector.collected;
}

class Collector {
  readonly #store: BlobStore;
  readonly #isNeeded: (digest: Digest) => boolean;
  #removedBlobs = 0;
  #freedBytes = 0;

  constructor(store: BlobStore, isNeeded: (digest: Digest) => boolean) {
    this.#store = store;
    this.#isNeeded = isNeeded;
  }

  get collected(): Collected {
    return { removedBlobs: this.#removedBlobs, freedBytes: this.#freedBytes };
  }

  async removeWhole(digest: Digest): Promise<void> {
    if (this.#isNeeded(digest)) return;
    const blob = await this.#store.open(digest);
    if (!blob || this.#isNeeded(digest)) return;
    await this.#store.delete(digest);
    this.#note(blob.size);
  }

  async removePartial({ digest, receivedBytes }: PartialBlob): Promise<void> {
    if (this.#isNeeded(digest)) return;
    try {
      await this.#store.discardPartial(digest);
    } catch (thrown) {
      // A writer holds it.
      if (toApiError(thrown).code === 'conflict') return;
      throw thrown;
    }
    this.#note(receivedBytes);
  }

  #note(freedBytes: number): void {
    this.#removedBlobs++;
    this.#freedBytes += freedBytes;
  }
}

/** A few at a time; the first failure ends the rest, and nothing goes on behind the caller's back. */
async function runAll(
  work: readonly (() => Promise<void>)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = [...work].reverse();
  const lane = async () => {
    for (let run = queue.pop(); run; run = queue.pop()) {
      if (signal?.aborted) throw abortReason(signal);
      await run();
    }
  };
  const lanes = Array.from({ length: parallelDeletes }, () =>
    lane().catch((error: unknown) => {
      queue.length = 0;
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(lanes)).find((ended) => ended.status === 'rejected');
  if (failed) throw failed.reason;
}
