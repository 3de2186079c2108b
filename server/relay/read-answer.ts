/** Reads the answers that are small by nature (all but blobs) whole, so that one that is too large can still be refused. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import { manifestLimitBytes, readWhole } from './body.ts';
import type { RelayResource } from './path.ts';

const tokenLimitBytes = 64 * 2 ** 10;

/** Throws `unsupported_model_format` for an oversize manifest, `registry_unreachable` for what is no token or breaks off. */
export async function readAnswer(upstream: IncomingMessage, resource: RelayResource): Promise<Buffer> {
  const isToken = resource.kind === 'token';
  const tooLarge = isToken ? badToken() : oversize();
  const limitBytes = isToken ? tokenLimitBytes : manifestLimitBytes;
  if (Number(upstream.headers['content-length'] ?? 0) > limitBytes) throw tooLarge;
  const bytes = await readWhole(upstream, limitBytes, tooLarge).catch((error: unknown) => {
    throw error === tooLarge ? error : brokenOff(error);
  });
  if (isToken && isSuccess(upstream) && !isJson(bytes)) throw badToken();
  return bytes;
}

function isSuccess(upstream: IncomingMessage): boolean {
  return upstream.statusCode === 200;
}

/** A token request may name any public host and any path; that it yields JSON only keeps it from being a way around CORS. */
function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function badToken(): ApiError {
  return new ApiError(
    'registry_unreachable',
    'The token service did not answer with a token. Check the registry’s name.',
  );
}

function oversize(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The registry’s answer is larger than ${manifestLimitBytes / 2 ** 20} MiB. The relay carries no such manifest.`,
  );
}

function brokenOff(cause: unknown): ApiError {
  return new ApiError('registry_unreachable', 'The registry broke off its answer. Try again.', { cause });
}
