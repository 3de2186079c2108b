/** Tells a silent engine from a frozen one: after a silence it asks, and if nobody answers it reports. */
import type { Clock } from '#lib/core/clock.ts';

const silenceMs = 10_000;

interface WatchdogOptions {
  readonly clock: Clock;
  /** Sends the question. */
  readonly ask: () => void;
  readonly onStalled: () => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #lastHeardMs: number;
  #cancelTimer: () => void;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastHeardMs = options.clock.now();
    this.#cancelTimer = options.clock.after(silenceMs, () => this.#check());
  }

  /** Anything at all came from the engine. Cheap: called once a token. */
  heard(): void {
    this.#lastHeardMs = this.#options.clock.now();
  }

  stop(): void {
    this.#cancelTimer();
  }

  #check(): void {
    const { clock, ask } = this.#options;
    const silentForMs = clock.now() - this.#lastHeardMs;
    if (silentForMs < silenceMs) {
      this.#cancelTimer = clock.after(silenceMs - silentForMs, () => this.#check());
      return;
    }
    const askedAfterMs = this.#lastHeardMs;
    ask();
    this.#cancelTimer = clock.after(silenceMs, () => this.#judge(askedAfterMs));
  }

  #judge(askedAfterMs: number): void {
    if (this.#lastHeardMs === askedAfterMs) this.#options.onStalled();
    else this.#check();
  }
}
