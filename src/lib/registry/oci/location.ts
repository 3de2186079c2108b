/** Where an upload goes on, out of the `Location` of a registry or of the relay (distribution specification, “Push”). */
import { ApiError } from '#lib/core/errors.ts';

export interface LocationContext {
  /** `registry-1.docker.io`, `localhost:5000` */
  readonly host: string;
  /** The URL that answered, had it been asked directly: a relative location starts there. */
  readonly base: string;
}

/**
 * Path and query at the registry. The scheme is not compared: registries behind a proxy often say http about themselves.
 * Throws `forbidden_origin` for another host: the sign-in and the model would go there.
 */
export function registryPath(location: string, { host, base }: LocationContext): string {
  const relayed = `/_relay/${host}`;
  if (location.startsWith(`${relayed}/`)) return location.slice(relayed.length);
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url && isWeb && hostOf(url) === hostOf(new URL(base)) && url.username === '' && url.password === '')
    return `${url.pathname}${url.search}`;
  throw new ApiError(
    'forbidden_origin',
    `${host} wants the upload at another host, where Sampan does not send a model or a sign-in. ` +
      'Push to another registry, or export the model.',
  );
}

/** With the port only when it is no scheme's own. */
function hostOf(url: URL): string {
  const port = url.port === '80' || url.port === '443' ? '' : url.port;
  return `${url.hostname}:${port}`;
}

/** The same place with one more parameter; what stands there is signed by some registries, so it stays as it is. */
export function withParameter(path: string, name: string, value: string): string {
  const separator = path.includes('?') ? '&' : '?';
  return `${path}${separator}${name}=${encodeURIComponent(value)}`;
}
