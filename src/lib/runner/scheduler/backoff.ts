/** How long an engine that died is left alone before the next try: 1 s, then twice as long each time, at most 30 s. */
import type { Clock } from '#lib/core/clock.ts';

const firstMs = 1000;
const longestMs = 30_000;
/** An engine that lived this long did not die of what it was loaded with. */
const lastedMs = 60_000;

export class Backoff {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #losses = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** Whether it may be loaded. */
  get over(): boolean {
    return this.#cancel === undefined;
  }

  /** An engine died, so long after it was loaded. */
  lost(livedMs: number): void {
    this.stop();
    this.#losses = livedMs >= lastedMs ? 1 : this.#losses + 1;
    const waitMs = Math.min(longestMs, firstMs * 2 ** (this.#losses - 1));
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#onOver();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
