/** The three ways in which the other side can be missing. */
import { ApiError } from '#lib/core/errors.ts';

export function noHost(): ApiError {
  return new ApiError(
    'no_host',
    'Sampan is not open in any tab of this browser. Open it, then send the request again.',
  );
}

/** Another version of the app holds the engine and speaks another protocol. */
export function otherVersion(): ApiError {
  return new ApiError(
    'no_host',
    'Another tab runs a different version of Sampan. Reload or close that tab, then try again.',
  );
}

export function hostLost(): ApiError {
  return new ApiError(
    'host_lost',
    'The tab that ran the model was closed or reloaded. Send the request again.',
  );
}

export function hostStalled(): ApiError {
  return new ApiError(
    'host_stalled',
    'The tab that runs the model does not answer. Bring it to the front or reload it, then try again.',
  );
}

export function cancelled(): DOMException {
  return new DOMException('The request was cancelled.', 'AbortError');
}
