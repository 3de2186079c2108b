/** The present moment as reactive state: one timer while something on the page counts down, none otherwise. */
import { createSubscriber } from 'svelte/reactivity';
import type { Clock } from '#lib/core/clock.ts';

export class Now {
  readonly #clock: Clock;
  readonly #subscribe: () => void;

  constructor({ clock, everyMs = 1000 }: { clock: Clock; everyMs?: number }) {
    this.#clock = clock;
    this.#subscribe = createSubscriber((update) => {
      let cancel: () => void = () => undefined;
      const tick = () => {
        update();
        cancel = clock.after(everyMs, tick);
      };
      cancel = clock.after(everyMs, tick);
      return () => cancel();
    });
  }

  /** Milliseconds since the Unix epoch. */
  get ms(): number {
    this.#subscribe();
    return this.#clock.now();
  }
}
