/** When to ask a registry again: only for failures that pass, with growing waits, and afresh after any progress. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { toApiError } from '#lib/core/errors.ts';
import { backOnline, type Network } from './network.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** 0 to 1; spreads the waits of many clients. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly network: Network;
  /** Told before each wait, with what is waited for. */
  readonly onRetry?: (waitingFor: 'registry' | 'network') => void;
}

const waitsMs = [1000, 2000, 4000, 8000];

/**
 * Runs `attempt` until it succeeds. `attempt` returns normally when done and throws otherwise; `progress` is any
 * number that grows when something arrived, so that a long download may be cut more often than it may fail in a row.
 */
export async function retrying(
  attempt: () => Promise<void>,
  progress: () => number,
  options: RetryOptions,
): Promise<void> {
  let failures = 0;
  for (;;) {
    const before = progress();
    try {
      await attempt();
      return;
    } catch (thrown) {
      options.signal.throwIfAborted();
      const error = toApiError(thrown);
      if (progress() > before) failures = 0;
      if (error.retryable && !options.network.online) {
        // A registry on this machine answers without a network, so only a failure makes it a reason to wait.
        options.onRetry?.('network');
        await backOnline(options.network, options.signal);
        failures = 0;
        continue;
      }
      const waitMs = waitsMs[failures];
      failures++;
      if (!error.retryable || error.code === 'digest_mismatch' || waitMs === undefined) throw error;
      options.onRetry?.('registry');
      await sleep(options.clock, waitMs * (0.75 + options.random() / 2), options.signal);
    }
  }
}
