/** Ids that sort by time, also within one millisecond. */
import type { Clock } from '#lib/core/clock.ts';

export class RequestIds {
  readonly #clock: Clock;
  readonly #random: () => number;
  #lastMs = -1;
  #count = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    // A clock that is set back must not change the order of what this runner answers.
    const nowMs = Math.max(this.#clock.now(), this.#lastMs);
    this.#count = nowMs === this.#lastMs ? this.#count + 1 : 0;
    this.#lastMs = nowMs;
    const random = Math.floor(this.#random() * 36 ** 4);
    return `req_${base36(nowMs, 9)}${base36(this.#count, 4)}${base36(random, 4)}`;
  }
}

function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0');
}
