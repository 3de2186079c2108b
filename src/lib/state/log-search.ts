/** Regular expressions over many lines, off the page's thread and with a limit: no expression can freeze the page. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Span } from './log-entry.ts';
import type { LogPattern } from './log-query.ts';

export interface LogSearch {
  /**
   * For each text where it matches, `undefined` where it does not. Throws `invalid_request` when the expression takes
   * too long; rejects with the signal's reason when aborted. One search at a time.
   */
  find(
    pattern: LogPattern,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly Span[] | undefined)[]>;
  close(): void;
}

/** For one batch of lines, the start of the thread included. */
export const searchLimitMs = 2000;

export class WorkerLogSearch implements LogSearch {
  readonly #clock: Clock;
  #worker: Worker | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(
    pattern: LogPattern,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly Span[] | undefined)[]> {
    const worker = (this.#worker ??= createWorker());
    const settled = new AbortController();
    return new Promise<readonly (readonly Span[] | undefined)[]>((resolve, reject) => {
      signal.throwIfAborted();
      const stop = (reason: unknown) => {
        this.close();
        reject(reason);
      };
      const cancel = this.#clock.after(searchLimitMs, () => stop(tooSlow()));
      const once = { signal: settled.signal, once: true };
      settled.signal.addEventListener('abort', cancel);
      signal.addEventListener('abort', () => stop(signal.reason), once);
      worker.addEventListener('error', () => stop(tooSlow()), once);
      worker.addEventListener(
        'message',
        ({ data }: MessageEvent<readonly (readonly Span[] | undefined)[]>) => resolve(data),
        once,
      );
      worker.postMessage({ pattern, texts });
    }).finally(() => settled.abort());
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

function createWorker(): Worker {
  return new Worker(new URL('./log-search.worker.ts', import.meta.url), { type: 'module' });
}

function tooSlow(): ApiError {
  return new ApiError('invalid_request', 'This expression takes too long on some lines. Make it simpler.');
}
