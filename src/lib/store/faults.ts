/** What goes wrong in a store, in words a person can act on. Both adapters throw exactly these. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';

export function digestMismatch(): ApiError {
  return new ApiError(
    'digest_mismatch',
    'Weights do not match their checksum. The damaged part was thrown away. Pull again to fetch it anew.',
  );
}

export function writerBusy(digest: Digest): ApiError {
  return new ApiError(
    'conflict',
    `${digest.slice(0, 19)} is being downloaded already, perhaps in another tab. Wait for that download or stop it.`,
  );
}

export function fileBusy(): ApiError {
  return new ApiError('conflict', 'The file of this download is still in use. Try again in a moment.');
}

/** A download that is stopped closes its writer while chunks are still on their way: a result, not a failure. */
export function writerClosed(): ApiError {
  return new ApiError('aborted', 'The download was stopped. Resume it to go on.');
}

export function incomplete(): ApiError {
  return new ApiError('conflict', 'Some of the weights have not arrived yet. Resume the download first.');
}

export function outOfRange(): ApiError {
  return new ApiError('internal', 'More bytes arrived than the manifest announces. Pull again.');
}

/** Bytes that came from a file, not from a registry. */
export function notWhatItSays(): ApiError {
  return new ApiError(
    'digest_mismatch',
    'The file does not hold what its checksum says, so nothing of it was kept. Get the file again.',
  );
}

export function sourceTooShort(): ApiError {
  return new ApiError('invalid_request', 'The file ends before the size that it announces. Get it again.');
}

export function sourceTooLong(): ApiError {
  return new ApiError('invalid_request', 'The file is longer than the size that it announces. Get it again.');
}

export function sourceBroken(cause: unknown): ApiError {
  return new ApiError('invalid_request', 'The file could not be read to its end. Choose or send it again.', {
    cause,
  });
}

/** What browsers say of a file that is another than when it was chosen, or gone. */
export function fileChanged(cause?: unknown): ApiError {
  return new ApiError(
    'invalid_request',
    'The file was changed, moved or deleted while it was read. Choose it again.',
    { cause },
  );
}

export function modelGone(): ApiError {
  return new ApiError('model_not_found', 'This model is not in this browser any more. Pull it again.');
}

/** The reason of an aborted signal, as an `ApiError`. */
export function abortReason(signal: AbortSignal): ApiError {
  if (signal.reason instanceof ApiError) return signal.reason;
  return new ApiError('aborted', 'The request was cancelled.', { cause: signal.reason });
}
