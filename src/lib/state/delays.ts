/** One-shot timers by key: setting one again begins anew. */
import type { Clock } from '#lib/core/clock.ts';

export class Delays<Key> {
  readonly #clock: Clock;
  readonly #cancels = new Map<Key, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get keys(): readonly Key[] {
    return [...this.#cancels.keys()];
  }

  has(key: Key): boolean {
    return this.#cancels.has(key);
  }

  set(key: Key, delayMs: number, callback: () => void): void {
    this.cancel(key);
    const run = () => {
      this.#cancels.delete(key);
      callback();
    };
    this.#cancels.set(key, this.#clock.after(delayMs, run));
  }

  cancel(key: Key): void {
    this.#cancels.get(key)?.();
    this.#cancels.delete(key);
  }
}
