/** What IndexedDB throws, as an `ApiError`. */
import { toApiError } from '#lib/core/errors.ts';

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toApiError(error);
  }
}
