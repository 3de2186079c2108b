/** Blobs that must stay although no stored model names them: of pulls, uploads, exports and models that may come back. */
import type { Digest } from '#lib/core/digest.ts';

/** All blobs that were held at any time while it is looked through. */
export interface Watch {
  has(digest: Digest): boolean;
  stop(): void;
}

export class Pins {
  readonly #counts = new Map<Digest, number>();
  readonly #watches = new Set<Set<Digest>>();

  /** Holds blobs, also such that are not there yet, until the returned function is called; that one is idempotent. */
  hold(digests: Iterable<Digest>): () => void {
    const held = [...digests];
    for (const digest of held) {
      this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1);
      for (const watch of this.#watches) watch.add(digest);
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const digest of held) this.#release(digest);
    };
  }

  /**
   * A collector reads which blobs models need and then deletes the others; a pull that ends in between lets go of its
   * blobs because a model names them now, which the collector does not know yet. So letting go counts from the next
   * watch on.
   */
  watch(): Watch {
    const seen = new Set(this.#counts.keys());
    this.#watches.add(seen);
    return { has: (digest) => seen.has(digest), stop: () => this.#watches.delete(seen) };
  }

  #release(digest: Digest): void {
    const left = (this.#counts.get(digest) ?? 0) - 1;
    if (left > 0) this.#counts.set(digest, left);
    else this.#counts.delete(digest);
  }
}
