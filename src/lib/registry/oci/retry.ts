/** When to ask a registry again: only for failures that pass, with growing waits, and afresh after any progress. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError, type ErrorCode } from '#lib/core/errors.ts';
import { NoRouteError } from './route.ts';

/** A refusal that passes, with the wait that the registry asks for. */
export class LaterError extends ApiError {
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterMs: number | undefined) {
    super(code, message);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface RetryOptions {
  readonly clock: Clock;
  /** 0 to 1; spreads the waits of many clients. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const waitsMs = [1000, 2000, 4000, 8000];
/** A registry that asks for more is not waited for: the person is told. */
const longestWaitMs = 60_000;

/**
 * The result of the first `attempt` that does not fail. `progress` is any number that grows when the registry took
 * something more, so that a long upload may be cut more often in all than it may fail in a row.
 */
export async function retrying<Result>(
  attempt: () => Promise<Result>,
  progress: () => number,
  { clock, random, signal }: RetryOptions,
): Promise<Result> {
  let failures = 0;
  for (;;) {
    const before = progress();
    try {
      return await attempt();
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toApiError(thrown);
      if (progress() > before) failures = 0;
      const waitMs = waitsMs[failures];
      failures++;
      const askedMs = error instanceof LaterError ? (error.retryAfterMs ?? 0) : 0;
      if (!passes(error) || waitMs === undefined || askedMs > longestWaitMs) throw error;
      await sleep(clock, Math.max(waitMs * (0.75 + random() / 2), askedMs), signal);
    }
  }
}

function passes(error: ApiError): boolean {
  return error.retryable && error.code !== 'digest_mismatch' && !(error instanceof NoRouteError);
}
