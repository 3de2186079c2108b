/** Answers a registry's 401: Basic, or a Bearer token from the token server that the registry names. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { readAtMost, unreachable } from '#lib/registry/http.ts';
import type { Credentials } from '#lib/registry/port.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { schemeOf, type Router } from './route.ts';
import { signInError, type Asked } from './status.ts';
import type { TokenCache, TokenKey } from './tokens.ts';

const maxTokenBytes = 64 * 1024;
/** Of a token whose server does not say (distribution specification, token authentication). */
const defaultLifetimeSeconds = 60;

const tokenSchema = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.fallback(v.optional(v.pipe(v.number(), v.minValue(1))), undefined),
});

export interface SignInRequest extends Asked {
  readonly key: TokenKey;
  readonly signal: AbortSignal;
}

export class SignIn {
  readonly #router: Router;
  readonly #tokens: TokenCache;

  constructor(options: { router: Router; tokens: TokenCache }) {
    this.#router = options.router;
    this.#tokens = options.tokens;
  }

  /** An `Authorization` header for `unauthorized`, the 401; kept in the cache. Throws `unauthorized`. */
  async answer(unauthorized: Response, request: SignInRequest): Promise<string> {
    const challenges = parseChallenges(unauthorized.headers.get('www-authenticate') ?? '');
    const { key, credentials } = request;
    if (credentials?.kind === 'token') {
      if (!isHeaderText(credentials.token)) throw signInError(request);
      return this.#keep(key, `Bearer ${credentials.token}`);
    }
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    if (bearer) return this.#askTokenServer(bearer, request);
    const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
    if (isBasic && credentials) return this.#keep(key, basic(credentials));
    throw signInError(request);
  }

  async #askTokenServer(challenge: Challenge, request: SignInRequest): Promise<string> {
    const { key, credentials, signal } = request;
    const url = tokenUrl(challenge, key);
    const headers: Record<string, string> = {};
    if (credentials?.kind === 'password') {
      requireSameSite(url.host, key.host);
      headers.authorization = basic(credentials);
    }
    const response = await this.#router.getBeside(key.host, url, { headers, signal });
    if (response.status === 401 || response.status === 403) throw signInError(request);
    if (response.status !== 200) throw badTokenServer(url.host, `answered HTTP ${response.status}`);
    const bytes = await readAtMost(response, maxTokenBytes, () =>
      badTokenServer(url.host, 'sent far too much'),
    );
    const { token, lifetimeMs } = readToken(bytes, url.host);
    return this.#keep(key, `Bearer ${token}`, lifetimeMs);
  }

  #keep(key: TokenKey, authorization: string, lifetimeMs?: number): string {
    this.#tokens.set(key, authorization, lifetimeMs);
    return authorization;
  }
}

function tokenUrl(challenge: Challenge, { host, scope }: TokenKey): URL {
  const realm = challenge.parameters.get('realm') ?? '';
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && schemeOf(host) === 'http');
  if (!url || !isSafe || url.username !== '' || url.password !== '') {
    throw badTokenServer(host, 'names no token server that is safe to ask');
  }
  url.hash = '';
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  for (const part of scopesToAsk(challenge.parameters.get('scope') || scope, scope))
    url.searchParams.append('scope', part);
  return url;
}

/**
 * Several scopes stand in one string and are several parameters of the request. A registry names what the refused
 * request needs; for the same repository what the whole push needs is asked at once, so that the next is not refused.
 */
function scopesToAsk(named: string, needed: string): readonly string[] {
  const wholes = needed.split(' ');
  return named
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => wholes.find((whole) => repositoryOf(whole) === repositoryOf(part)) ?? part);
}

/** `repository:ai/smollm2` of `repository:ai/smollm2:pull,push`. */
function repositoryOf(scope: string): string {
  return scope.slice(0, scope.lastIndexOf(':'));
}

/**
 * A password goes to the registry it was typed for or to its own token server (`auth.docker.io` beside
 * `registry-1.docker.io`), never to a third party that the registry merely names.
 */
function requireSameSite(tokenHost: string, registryHost: string): void {
  if (siteOf(tokenHost) === siteOf(registryHost)) return;
  throw new ApiError(
    'unauthorized',
    `${registryHost} sends sign-ins to ${tokenHost}, which is another site. ` +
      'The password was not sent: use an access token for this registry instead.',
  );
}

function siteOf(host: string): string {
  const name = host.replace(/:\d+$/, '');
  const isAddress = name.startsWith('[') || /^[\d.]+$/.test(name);
  return isAddress ? name : name.split('.').slice(-2).join('.');
}

function readToken(bytes: Uint8Array, server: string): { token: string; lifetimeMs: number } {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), tokenSchema), new TextDecoder().decode(bytes));
  const token = parsed.success ? parsed.output.token || parsed.output.access_token : undefined;
  if (!parsed.success || !token || !isHeaderText(token)) throw badTokenServer(server, 'sent no token');
  return { token, lifetimeMs: (parsed.output.expires_in ?? defaultLifetimeSeconds) * 1000 };
}

/** Anything else, such as a line break, would throw inside fetch and look like a dead connection. */
function isHeaderText(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}

function basic(credentials: Extract<Credentials, { kind: 'password' }>): string {
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function badTokenServer(server: string, what: string): ApiError {
  return unreachable(`The sign-in at ${server} failed: it ${what}. Try again later.`);
}
