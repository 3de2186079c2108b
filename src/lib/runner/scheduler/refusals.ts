/** What a request hears that never gets its model. */
import { ApiError } from '#lib/core/errors.ts';
import { formatBytes } from '#lib/core/format.ts';
import type { ModelRequest } from './request.ts';

/** Only models that are kept loaded for ever could make room. */
export function pinnedInTheWay(
  { name, sizeBytes }: ModelRequest,
  pinned: readonly { readonly request: ModelRequest }[],
): ApiError {
  const names = pinned.map(({ request }) => `“${request.name}”`).join(' and ');
  return new ApiError(
    'insufficient_memory',
    `“${name}” needs ${formatBytes(sizeBytes)} beside ${names}, which ${pinned.length > 1 ? 'are' : 'is'} kept ` +
      'loaded for ever, and there is not so much memory. Unload one that you do not need now.',
  );
}

export function runnerClosed(): ApiError {
  return new ApiError('host_lost', 'The tab that ran the model was closed. Try again.');
}

export function modelInUse(): ApiError {
  return new ApiError('conflict', 'This model is answering a request. Stop it first, then delete the model.');
}
