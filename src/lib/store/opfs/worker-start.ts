/** A worker whose script does not load never answers a call; it only says `error`. */
import { ApiError } from '#lib/core/errors.ts';

/** The worker's first answer; throws `internal` when it does not start. */
export function firstAnswer<T>(worker: Worker, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const report = () =>
      reject(
        new ApiError('internal', 'The part of Sampan that stores models did not start. Reload the page.'),
      );
    worker.addEventListener('error', report, { once: true });
    answer.then(resolve, reject);
  });
}
