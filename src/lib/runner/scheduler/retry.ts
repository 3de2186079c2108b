/** A request whose engine died before it answered anything is tried once more, on a fresh engine. */
import { ApiError, type ErrorCode } from '#lib/core/errors.ts';
import type { LoadedModel } from '#lib/engine/port.ts';
import type { Lease, ModelRequest } from './request.ts';

export interface RetryPorts<T> {
  readonly request: ModelRequest;
  readonly acquire: () => Promise<Lease>;
  /** Whether a client has seen something that it must not see twice. */
  readonly isAnswer: (item: T) => boolean;
  /** The engine behind a lease is dead, whether or not it said so itself yet. */
  readonly onLoss: (model: LoadedModel) => void;
  readonly mayRetry: () => boolean;
}

/** Iterates over what `use` makes of a lease, and releases the lease however that ends. */
export async function* retryUntouched<T>(
  use: (lease: Lease) => AsyncIterable<T>,
  ports: RetryPorts<T>,
): AsyncGenerator<T, void, undefined> {
  const first = yield* attempt(use, ports);
  if (!first) return;
  if (first.answered || !ports.mayRetry()) throw first.error;
  const second = yield* attempt(use, ports);
  if (second) throw second.answered ? second.error : lostTwice(second.error, ports.request);
}

/** Whether an engine is gone, and not just its answer. */
export function isLoss(thrown: unknown): thrown is ApiError {
  const losses: readonly ErrorCode[] = ['device_lost', 'host_lost', 'host_stalled'];
  return thrown instanceof ApiError && losses.includes(thrown.code);
}

interface Loss {
  readonly error: ApiError;
  readonly answered: boolean;
}

/** Returns how the engine was lost, if it was; throws everything else. */
async function* attempt<T>(
  use: (lease: Lease) => AsyncIterable<T>,
  { acquire, isAnswer, onLoss }: RetryPorts<T>,
): AsyncGenerator<T, Loss | undefined, undefined> {
  let lease: Lease | undefined;
  let answered = false;
  try {
    lease = await acquire();
    for await (const item of use(lease)) {
      answered ||= isAnswer(item);
      yield item;
    }
    return undefined;
  } catch (thrown) {
    if (!isLoss(thrown)) throw thrown;
    if (lease) onLoss(lease.model);
    return { error: thrown, answered };
  } finally {
    lease?.release();
  }
}

function lostTwice(error: ApiError, { name, config }: ModelRequest): ApiError {
  if (error.code !== 'device_lost') return error;
  const smaller = Math.max(512, Math.floor(config.contextSize / 2));
  return new ApiError(
    'device_lost',
    `The engine of “${name}” stopped twice, most likely for want of memory. ` +
      `Set its context, now ${config.contextSize} tokens, to ${smaller} or less, or choose a smaller model.`,
    { cause: error },
  );
}
