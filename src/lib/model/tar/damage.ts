/** What is wrong with an archive, in a sentence a person can act on. */
import { ApiError } from '#lib/core/errors.ts';

export function damagedTar(why: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The tar archive cannot be read: ${why}. Get it again, or pack it again.`,
  );
}
