/** Reads `/_relay/<host[:port]>/<rest>`. What is neither a path of the OCI specification nor a token request is refused. */
import { ApiError } from '#lib/core/errors.ts';
import { parseOciPath, type OciPath } from '#server/oci-path.ts';

export type RelayResource = OciPath | { readonly kind: 'token' };

export interface RelayPath {
  /** `host[:port]` as written; the allow-list parses it. */
  readonly authority: string;
  /** Path at the registry. */
  readonly path: string;
  /** With its `?`, or empty. Goes through unread and into no log: it carries signatures and upload states. */
  readonly search: string;
  readonly resource: RelayResource;
}

export const relayRoot = '/_relay/';

const methods: Readonly<Record<RelayResource['kind'], readonly string[]>> = {
  base: ['GET', 'HEAD'],
  catalog: ['GET'],
  tags: ['GET'],
  referrers: ['GET'],
  manifest: ['GET', 'HEAD', 'PUT', 'DELETE'],
  blob: ['GET', 'HEAD', 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'PATCH', 'PUT', 'DELETE'],
  token: ['GET'],
};

/** Throws `invalid_request` for another path, `method_not_allowed` for another method. */
export function parseRelayPath(method: string, path: string, search: string): RelayPath {
  const slash = path.indexOf('/', relayRoot.length);
  if (!path.startsWith(relayRoot) || slash === -1) throw malformed();
  const rest = path.slice(slash);
  const resource = parseOciPath(rest) ?? parseToken(rest, search);
  if (!resource) throw malformed();
  if (!methods[resource.kind].includes(method)) {
    throw new ApiError(
      'method_not_allowed',
      `The relay does not send ${method} to this path. See the OCI specification.`,
    );
  }
  return { authority: path.slice(relayRoot.length, slash), path: rest, search, resource };
}

/** Every registry picks its own token path, so the query tells: without a service or a scope it is no token request. */
function parseToken(path: string, search: string): RelayResource | undefined {
  const isPlain = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/.test(path);
  const query = new URLSearchParams(search);
  return isPlain && (query.has('service') || query.has('scope')) ? { kind: 'token' } : undefined;
}

function malformed(): ApiError {
  return new ApiError(
    'invalid_request',
    'The relay carries registry paths below /v2/ and token requests only. Ask for /_relay/<host>/v2/….',
  );
}
