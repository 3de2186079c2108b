/** What a registry's refusal means to the person who pushes a model. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { familiarReference } from '#lib/model/reference.ts';
import { readAtMost, unreachable } from '#lib/registry/http.ts';
import { refusal, registryName, signInError, type Asked } from './status.ts';

const maxErrorBytes = 64 * 1024;

const errorSchema = v.object({ errors: v.tupleWithRest([v.object({ code: v.string() })], v.unknown()) });

/** Error codes of the distribution specification that say more than the status does. */
const meanings: ReadonlyMap<string, (server: string, name: string) => ApiError> = new Map([
  ['DIGEST_INVALID', (server: string) => damaged(server)],
  ['SIZE_INVALID', (server: string) => damaged(server)],
  ['MANIFEST_BLOB_UNKNOWN', (server: string) => lost(server)],
  ['BLOB_UNKNOWN', (server: string) => lost(server)],
  ['BLOB_UPLOAD_INVALID', (server: string) => lost(server)],
  ['BLOB_UPLOAD_UNKNOWN', (server: string) => lost(server)],
  ['NAME_UNKNOWN', notCreated],
  ['NAME_INVALID', badName],
  ['TAG_INVALID', badName],
  ['MANIFEST_INVALID', (server: string) => notTaken(server)],
  ['UNSUPPORTED', (server: string) => readOnly(server)],
]);

/** The error of a response that has not the status of an answer; reads the body. */
export async function pushRefusal(response: Response, asked: Asked): Promise<ApiError> {
  const { status } = response;
  const server = registryName(asked.reference.registry);
  const name = familiarReference(asked.reference);
  // A browser shows of a redirect that it did not follow only that it was one: status 0.
  if (status < 400 && (status === 0 || status >= 300)) return redirected(server);
  const code = await readErrorCode(response);
  if (status === 401 || status === 403) return signInError(asked);
  if (status === 429 || status >= 500) return refusal(response, asked);
  const meaning = meanings.get(code ?? '');
  if (meaning) return meaning(server, name);
  if (status === 404) return notCreated(server, name);
  if (status === 405) return readOnly(server);
  if (status === 413)
    return new ApiError('request_too_large', `${server} takes no file of this size. Push a smaller variant.`);
  return new ApiError(
    'invalid_request',
    `${server} refused the model (HTTP ${status}). Check the name, or push to another registry.`,
  );
}

/** The first code of the specification's error body; reads to the end, so that the connection can serve again. */
async function readErrorCode(response: Response): Promise<string | undefined> {
  try {
    const bytes = await readAtMost(response, maxErrorBytes, () => unreachable('The error is too long.'));
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return v.is(errorSchema, json) ? json.errors[0].code : undefined;
  } catch {
    // No such body, or a broken one: the status has to do.
    return undefined;
  }
}

function damaged(server: string): ApiError {
  return new ApiError(
    'digest_mismatch',
    `What arrived at ${server} is not what its checksum says. Repair the model, then push it again.`,
  );
}

function lost(server: string): ApiError {
  return unreachable(
    `${server} lost a part of the upload. Push the model again: what arrived is kept there.`,
  );
}

function notCreated(server: string, name: string): ApiError {
  return new ApiError(
    'invalid_reference',
    `${server} has no place for ${name}. Create the repository there first, or check the name.`,
  );
}

function badName(server: string, name: string): ApiError {
  return new ApiError('invalid_reference', `${server} does not take the name ${name}. Choose another.`);
}

function notTaken(server: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `${server} does not take models in this format. Push to a registry that stores any OCI artifact.`,
  );
}

function readOnly(server: string): ApiError {
  return new ApiError(
    'method_not_allowed',
    `${server} can only be read. Push to another registry, or export the model.`,
  );
}

function redirected(server: string): ApiError {
  return new ApiError(
    'forbidden_origin',
    `${server} sends the upload on to another place, which Sampan does not follow. Push to that place by its own name.`,
  );
}
