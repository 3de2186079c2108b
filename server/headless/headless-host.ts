/** Keeps a browser without a window running, whose only page is the app: it becomes the host of the models. */
import { sleep, systemClock, type Clock } from '#lib/core/clock.ts';
import { BrowserProcess, type BrowserCommand } from './browser-process.ts';

export interface HeadlessOptions extends BrowserCommand {
  readonly log: (line: string) => void;
  readonly clock?: Clock;
}

const firstDelayMs = 1000;
const longestDelayMs = 60_000;
/** A browser that ran so long was a good one: its next end counts as the first. */
const steadyMs = 60_000;

export class HeadlessHost {
  readonly #options: HeadlessOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #browser: BrowserProcess | undefined;

  /** Starts at once. */
  constructor(options: HeadlessOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#running = this.#keepRunning();
  }

  /** Resolves when every process that it started is gone; idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#browser?.stop();
    await this.#running;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !this.#isStopping(); failures++) {
      const startMs = this.#clock.now();
      this.#browser = new BrowserProcess(this.#options, this.#clock);
      const reason = await this.#browser.ended;
      if (this.#isStopping()) return;
      // Renderers may outlive a browser that crashed.
      await this.#browser.stop();
      if (this.#clock.now() - startMs >= steadyMs) failures = 0;
      const delayMs = Math.min(firstDelayMs * 2 ** failures, longestDelayMs);
      this.#options.log(`The headless browser ended (${reason}). It starts again in ${delayMs / 1000} s.`);
      await sleep(this.#clock, delayMs, signal).catch(() => undefined);
    }
  }
}
