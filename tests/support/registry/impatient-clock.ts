/** Short waits are over at once and deadlines never come: for retries against a real server, without sleeping. */
import type { Clock } from '#lib/core/clock.ts';

/** Deadlines of requests begin here. */
const deadlineMs = 30_000;

export class ImpatientClock implements Clock {
  /** Every wait that was asked for, in order. */
  readonly waitsMs: number[] = [];

  now(): number {
    return 0;
  }

  after(delayMs: number, callback: () => void): () => void {
    if (delayMs >= deadlineMs) return () => undefined;
    this.waitsMs.push(delayMs);
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  }
}
