/**
 * Where the relay may go. Any public https host on port 443: a person may name any registry, so a list of known ones
 * (Docker Hub, GHCR, Quay and their CDNs) would only be a part of this rule. Everything else, private addresses, other
 * ports and plain http, needs an explicit `host:port` from the person who starts Sampan.
 */
import { isIP } from 'node:net';
import { ApiError } from '#lib/core/errors.ts';
import { isPublicAddress } from './address.ts';

export interface OptIn {
  readonly protocol: 'http:' | 'https:';
  /** Normalised `host:port`. */
  readonly authority: string;
}

/** A host that passed. `public` is checked once more when its name is resolved. */
export interface Admitted {
  readonly url: URL;
  readonly access: 'public' | 'opted-in';
}

export class AllowList {
  readonly #optIns: ReadonlyMap<string, OptIn>;

  constructor(optIns: readonly OptIn[]) {
    this.#optIns = new Map(optIns.map((optIn) => [optIn.authority, optIn]));
  }

  /** The root of a registry, from the `host[:port]` of a relay path. Throws `invalid_request`, `forbidden_origin`. */
  admitAuthority(authority: string): Admitted {
    const url = parseAuthority(authority);
    const optIn = this.#optIns.get(authorityOf(url));
    if (!optIn) return admitPublic(url);
    return { url: new URL(`${optIn.protocol}//${optIn.authority}`), access: 'opted-in' };
  }

  /** A whole URL that a server named. Throws `forbidden_origin`. */
  admitUrl(url: URL): Admitted {
    if (url.username !== '' || url.password !== '' || url.hostname.endsWith('.')) {
      throw new ApiError(
        'forbidden_origin',
        'The registry redirects to a malformed host. Tell the registry’s operator.',
      );
    }
    const optIn = this.#optIns.get(authorityOf(url));
    return optIn?.protocol === url.protocol ? { url, access: 'opted-in' } : admitPublic(url);
  }
}

/** `localhost:5000` is plain http, `registry.lan:443` and `https://registry.lan:5443` are https. Throws `invalid_request`. */
export function parseOptIn(text: string): OptIn {
  const match = /^(?:(?<protocol>https?:)\/\/)?(?<authority>[^/]+:(?<port>\d+))$/.exec(text.trim());
  const { protocol, authority, port } = match?.groups ?? {};
  if (authority === undefined) {
    throw new ApiError('invalid_request', `“${text}” is no host and port. Write it like localhost:5000.`);
  }
  const isHttps = protocol === 'https:' || (protocol === undefined && port === '443');
  return { protocol: isHttps ? 'https:' : 'http:', authority: authorityOf(parseAuthority(authority)) };
}

/** Also what the connection's `lookup` says when a name turns out to be private. */
export function privateRefusal(authority: string): ApiError {
  return refusal('The relay does not reach private addresses.', authority);
}

/** Always with the port, which a URL leaves out when it is the scheme's own. */
export function authorityOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'http:' ? '80' : '443')}`;
}

function admitPublic(url: URL): Admitted {
  if (isPrivateName(url.hostname)) throw privateRefusal(authorityOf(url));
  if (url.protocol === 'https:' && url.port === '') return { url, access: 'public' };
  throw refusal('The relay reaches public registries by https on port 443 only.', authorityOf(url));
}

/** The WHATWG parser writes every spelling of an address (`127.1`, `0x7f.1`, `2130706433`) in one way. */
function parseAuthority(authority: string): URL {
  const isPlain = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/.test(authority);
  const host = authority.replace(/:\d+$/, '');
  const url = isPlain && !host.endsWith('.') ? parseUrl(`https://${authority}`) : undefined;
  if (url) return url;
  throw new ApiError('invalid_request', 'The relay path needs a host name, such as registry-1.docker.io.');
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Node skips `lookup` for literal addresses, so they are judged here; names without a public suffix are never public. */
function isPrivateName(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return !isPublicAddress(bare);
  return !bare.includes('.') || /\.(?:localhost|local|internal)$/.test(bare);
}

function refusal(reason: string, authority: string): ApiError {
  const flag = `--relay-allow ${authority} (or SAMPAN_RELAY_ALLOW=${authority})`;
  return new ApiError('forbidden_origin', `${reason} Start Sampan with ${flag} to allow this registry.`);
}
