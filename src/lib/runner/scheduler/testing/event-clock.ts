/** A clock that goes from one event to the next, and stays at each until everything has happened that follows from it. */
import type { Clock } from '#lib/core/clock.ts';

/** More promises than any one event resolves in a row. */
const turns = 40;

export class EventClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Resolves when nothing is left to happen before `endMs`. */
  async runUntil(endMs: number): Promise<void> {
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
      await settle();
    }
  }

  /** The earliest; of equal ones that which was set first. */
  #next(endMs: number) {
    let first: { readonly dueMs: number; readonly callback: () => void } | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && timer.dueMs < (first?.dueMs ?? Infinity)) first = timer;
    }
    return first;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}
