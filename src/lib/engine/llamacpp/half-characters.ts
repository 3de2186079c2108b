/**
 * The engine writes what it says into JSON byte for byte, and a piece that is no UTF-8 is a C++ exception there, where
 * llama-server writes U+FFFD. The piece is lost by then; the engine goes on with the next one when it is asked again.
 */
import { ApiError } from '#lib/core/errors.ts';
import { isNativeException } from './faults.ts';
import type { NativeLog } from './native-log.ts';

/** What Unicode shows for bytes that are no character. */
export const replacementCharacter = '\uFFFD';

/** As wllama reads one from its worker; `ChunkReader` knows the chunk. */
const unreadable = {
  _name: 'gres_res',
  success: true,
  has_more: true,
  is_error: false,
  data_json: JSON.stringify({ choices: [], unreadable: true }),
  data_raw: new Uint8Array(),
};

export function isUnreadable(chunk: object): boolean {
  return 'unreadable' in chunk;
}

/** The result in place of one that the engine could not write; throws `thrown` when it was another failure. */
export function resultInPlace(action: string, thrown: unknown, log: NativeLog): object {
  const isHalf = /json.*utf-8/i.test(log.lastError ?? '');
  if (action !== 'get_result' || !isNativeException(thrown) || !isHalf) throw thrown;
  // It is explained; the next failure has lines of its own.
  log.takeErrors();
  return unreadable;
}

/** A token's own text is half a character more often than the answer's, and no entry can be left out. */
export function noLogprobs(): ApiError {
  return new ApiError(
    'not_supported',
    'This build of llama.cpp cannot tell the probability of a token that is a part of a character, and one came. Ask again without “logprobs”.',
    { param: 'logprobs' },
  );
}
