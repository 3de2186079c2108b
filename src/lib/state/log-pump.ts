/** Work in steps with a painted frame between them, begun as often as there may be some and done once at a time. */
import type { Frames } from './frames.ts';

export interface PumpWork {
  readonly isLeft: () => boolean;
  /** Never rejects. */
  readonly step: () => Promise<void>;
}

export class LogPump {
  readonly #frames: Frames;
  readonly #work: PumpWork;
  #isRunning = false;

  constructor(frames: Frames, work: PumpWork) {
    this.#frames = frames;
    this.#work = work;
  }

  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (;;) {
      await this.#work.step();
      // In the same turn as the end: what comes later starts it anew.
      if (!this.#work.isLeft()) break;
      await this.nextFrame();
    }
    this.#isRunning = false;
  }

  nextFrame(): Promise<void> {
    return new Promise((resolve) => this.#frames.next(resolve));
  }
}
