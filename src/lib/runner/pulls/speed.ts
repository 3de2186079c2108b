/** Bytes per second over the last few seconds, as a person wants to read it: quick to start, slow to jump. */
import type { Clock } from '#lib/core/clock.ts';

const windowMs = 5000;

export class Speed {
  readonly #clock: Clock;
  #marks: { atMs: number; bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `bytes` is the running total. */
  mark(bytes: number): void {
    const atMs = this.#clock.now();
    const last = this.#marks.at(-1);
    if (last && atMs - last.atMs < 100) last.bytes = bytes;
    else this.#marks.push({ atMs, bytes });
    this.#marks = this.#marks.filter((mark) => atMs - mark.atMs <= windowMs);
  }

  reset(): void {
    this.#marks = [];
  }

  get bytesPerSecond(): number {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (!first || !last || last.atMs === first.atMs) return 0;
    return Math.max(0, Math.round(((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs)));
  }
}
