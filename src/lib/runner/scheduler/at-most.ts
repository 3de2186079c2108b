/** Waits for work, but not for ever. */
import type { Clock } from '#lib/core/clock.ts';

/** Resolves when `work` does or the time is over, whichever is first; rejects if `work` rejects before. */
export function atMost(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, resolve);
    work.then(resolve, reject).finally(cancel);
  });
}
