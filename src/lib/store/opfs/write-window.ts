/**
 * Lets some bytes be on their way to the blob worker without waiting for it, so that the network does not stand still
 * while the worker flushes (about 0.2 s for 64 MiB) and a single connection is not held up by round trips.
 */

export class WriteWindow {
  readonly #limitBytes: number;
  readonly #pending = new Set<Promise<void>>();
  #inFlightBytes = 0;
  #failed: { readonly error: unknown } | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Takes up `work` and resolves when more may come. Throws what this or an earlier write failed with. */
  async add(lengthBytes: number, work: Promise<void>): Promise<void> {
    this.#inFlightBytes += lengthBytes;
    const pending: Promise<void> = work
      .catch((error: unknown) => void (this.#failed ??= { error }))
      .finally(() => {
        this.#inFlightBytes -= lengthBytes;
        this.#pending.delete(pending);
      });
    this.#pending.add(pending);
    while (this.#inFlightBytes > this.#limitBytes) await Promise.race(this.#pending);
    this.#assertSound();
  }

  /** Resolves once everything that was added before is written. Throws what any write failed with. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
    this.#assertSound();
  }

  #assertSound(): void {
    if (this.#failed) throw this.#failed.error;
  }
}
