/** What of the request records somebody asks for, with the model looked up. */
import { ApiError } from '#lib/core/errors.ts';
import type { RequestFilter } from '#lib/model/wire-requests.ts';
import type { Criteria } from '#lib/runner/recorder/filter.ts';
import type { Library } from '#lib/runner/library/library.ts';

/** A model that is not stored any more is still found by the name under which it was asked for. */
export async function withModelId(
  filter: RequestFilter,
  library: Pick<Library, 'getLenient'>,
): Promise<Criteria> {
  if (filter.model === undefined) return filter;
  try {
    return { ...filter, modelId: (await library.getLenient(filter.model)).id };
  } catch (thrown) {
    const absent =
      thrown instanceof ApiError && ['model_not_found', 'invalid_reference'].includes(thrown.code);
    if (absent) return filter;
    throw thrown;
  }
}
