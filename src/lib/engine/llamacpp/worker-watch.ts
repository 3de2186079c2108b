/** A worker that dies says nothing, but the lock that it held becomes free. */
import { sleep, type Clock } from '#lib/core/clock.ts';

export type Locks = Pick<LockManager, 'request' | 'query'>;

interface Watch {
  readonly locks: Locks;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** The worker asked for its lock before it did anything else. */
const arrivesWithinMs = 5000;
const pollMs = 10;

/**
 * Resolves with whether the worker died before `signal` aborted. Worker and page ask the browser's process on ways of their
 * own, and on a busy machine the page's is the faster one at times: only a lock that was held can become free.
 */
export async function died(name: string, { locks, clock, signal }: Watch): Promise<boolean> {
  const deadlineMs = clock.now() + arrivesWithinMs;
  while (!(await isHeld(locks, name)) && clock.now() < deadlineMs) {
    await sleep(clock, pollMs, signal).catch(() => undefined);
    if (signal.aborted) return false;
  }
  try {
    return await locks.request(name, { signal }, () => true);
  } catch (thrown) {
    if (signal.aborted) return false;
    throw thrown;
  }
}

async function isHeld(locks: Locks, name: string): Promise<boolean> {
  const { held = [] } = await locks.query();
  return held.some((lock) => lock.name === name);
}
