/** The only headers that cross the relay, in each direction. No cookie does. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export type OutgoingHeaders = Readonly<Record<string, string>>;

const requestNames = ['accept', 'authorization', 'content-type', 'content-range', 'range', 'user-agent'];

const responseNames = [
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'link',
  'range',
  'docker-content-digest',
  'docker-upload-uuid',
  'www-authenticate',
  'retry-after',
  'warning',
];

const responsePrefixes = ['oci-', 'ratelimit-'];

/** Lengths are set by whoever sends the body. Digests are over plain bytes, so no compression is asked for. */
export function requestHeaders(incoming: IncomingHttpHeaders): OutgoingHeaders {
  return { ...pick(incoming, (name) => requestNames.includes(name)), 'accept-encoding': 'identity' };
}

/** For a hop to another host: a CDN has no business with the registry's credentials, and S3 refuses them. */
export function withoutCredentials(headers: OutgoingHeaders): OutgoingHeaders {
  const { authorization: _dropped, ...kept } = headers;
  return kept;
}

/**
 * Blobs are bytes that a stranger chose, answered from the app's own origin: so nothing may be rendered, sniffed or
 * run. The type is always `application/octet-stream`; what the registry said stands in `x-sampan-content-type`, where
 * the registry client reads the media type of a manifest. `Link` stays relative to the registry.
 */
export function responseHeaders(upstream: IncomingMessage): OutgoingHeaders {
  const contentType = upstream.headers['content-type'];
  return {
    ...pick(upstream.headers, isReturned),
    'content-type': 'application/octet-stream',
    ...(contentType === undefined ? {} : { 'x-sampan-content-type': contentType }),
    'cache-control': 'no-store',
  };
}

function isReturned(name: string): boolean {
  return responseNames.includes(name) || responsePrefixes.some((prefix) => name.startsWith(prefix));
}

function pick(headers: IncomingHttpHeaders, isWanted: (name: string) => boolean): OutgoingHeaders {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && isWanted(name)) picked[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return picked;
}
