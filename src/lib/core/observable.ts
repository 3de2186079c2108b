/** "Something changed": the smallest thing a page or a feed can follow. */

export class Signal {
  readonly #listeners = new Set<() => void>();

  /** Returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
