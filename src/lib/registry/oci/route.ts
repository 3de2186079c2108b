/** How this browser reaches a host: directly, where the host answers browsers (CORS), or through this site's relay. */
import { ApiError, errorFromBody } from '#lib/core/errors.ts';
import { readAtMost, unreachable, type Fetch } from '#lib/registry/http.ts';
import { registryPath } from './location.ts';

export type Route = 'direct' | 'relay';

/** Keeps what was found out, across visits. A `Map` will do where nothing has to last. */
export interface RouteStore {
  get(host: string): Route | undefined | Promise<Route | undefined>;
  set(host: string, route: Route): unknown;
}

export interface RouterOptions {
  readonly fetch: Fetch;
  /** `sampan.example`, `localhost:12434`: the host of the app, always asked directly. */
  readonly ownHost: string;
  /** `https://sampan.example` */
  readonly ownOrigin: string;
  readonly routes: RouteStore;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface RoutedRequest {
  /** `GET` unless it says otherwise. */
  readonly method?: Method | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Blob | Uint8Array<ArrayBuffer> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A host that was never reached, neither way. It may be dead or refuse browsers; waiting helps with neither. */
export class NoRouteError extends ApiError {
  constructor(host: string, cause: unknown) {
    super(
      'registry_unreachable',
      `${host} is unreachable or does not answer browsers. Check the name, or open Sampan from its companion ` +
        'server (npm start), whose relay can reach it for you.',
      { cause },
    );
  }
}

const maxRefusalBytes = 64 * 1024;

export class Router {
  readonly #fetch: Fetch;
  readonly #options: RouterOptions;
  /** Kinds of requests that a host has answered directly: when one of them fails, it is the line and not CORS. */
  readonly #proven = new Set<string>();

  constructor(options: RouterOptions) {
    this.#options = options;
    // Called as a method of another object, the browser's fetch throws “Illegal invocation”.
    const { fetch } = options;
    this.#fetch = (input, init) => fetch(input, init);
  }

  /** Asks a registry for `path` (with its query). Throws `registry_unreachable`, or what the relay refuses with. */
  async send(host: string, path: string, request: RoutedRequest): Promise<Response> {
    if (host === this.#options.ownHost)
      return this.#direct(`${this.#options.ownOrigin}${path}`, host, request);
    const route = (await this.#options.routes.get(host)) ?? (await this.#probe(host, request.signal));
    if (route === 'relay') return this.#viaRelay(host, path, request);
    return this.#directOrRelay(host, `${schemeOf(host)}://${host}${path}`, path, request);
  }

  /** GETs from a registry's token server: by the relay when its registry needs it. */
  async getBeside(registryHost: string, url: URL, request: RoutedRequest): Promise<Response> {
    const { routes, ownHost } = this.#options;
    const path = `${url.pathname}${url.search}`;
    if (url.host === registryHost) return this.send(registryHost, path, request);
    if (url.host === ownHost)
      throw unreachable(`${registryHost} names this app as its token server. Check the name.`);
    if (registryHost === ownHost) return this.#direct(url.href, url.host, request);
    const route = (await routes.get(url.host)) ?? (await routes.get(registryHost));
    if (route === 'relay') return this.#viaRelay(url.host, path, request);
    return this.#directOrRelay(url.host, url.href, path, request);
  }

  /**
   * Where an upload goes on: the path at `host` that the `Location` of an answer to `path` means, whichever way the
   * answer came. A registry may let browsers open an upload and hide its place from them: then the relay takes over,
   * and this is undefined. Throws `forbidden_origin` for another host.
   */
  async uploadPath(
    host: string,
    path: string,
    response: Response,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const location = response.headers.get('location');
    if (location !== null) {
      const origin = host === this.#options.ownHost ? this.#options.ownOrigin : `${schemeOf(host)}://${host}`;
      return registryPath(location, { host, base: `${origin}${path}` });
    }
    const isDirect = host !== this.#options.ownHost && (await this.#options.routes.get(host)) === 'direct';
    if (isDirect && (await this.#turnToRelay(host, signal))) return undefined;
    throw new ApiError(
      'forbidden_origin',
      `${host} does not tell browsers where an upload goes (Location). Ask who runs it to expose that header, or open ` +
        'Sampan from its companion server (npm start).',
    );
  }

  /**
   * The `Authorization` header makes the browser ask first (preflight). A plain GET proves nothing: it succeeds on
   * registries that refuse every authorised request (registries.md section 1).
   */
  async #probe(host: string, signal?: AbortSignal): Promise<Route> {
    const { routes } = this.#options;
    try {
      const url = `${schemeOf(host)}://${host}/v2/`;
      const response = await this.#send(url, { headers: { authorization: 'Bearer probe' }, signal });
      void response.body?.cancel();
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(await this.#turnToRelay(host, signal))) throw new NoRouteError(host, thrown);
      return 'relay';
    }
    await routes.set(host, 'direct');
    return 'direct';
  }

  /** Some registries answer browsers for manifests and not for blobs, so a failure may still mean the relay. */
  async #directOrRelay(host: string, url: string, path: string, request: RoutedRequest): Promise<Response> {
    const kind = kindOf(host, path, request);
    try {
      const response = await this.#send(url, request);
      this.#proven.add(kind);
      return response;
    } catch (thrown) {
      request.signal?.throwIfAborted();
      if (this.#proven.has(kind)) throw brokenLine(host, thrown);
      if (await this.#turnToRelay(host, request.signal)) return this.#viaRelay(host, path, request);
      throw unreachable(
        `${host} is unreachable or does not answer browsers here. Check the connection, or open Sampan from its ` +
          'companion server (npm start), whose relay can reach it for you.',
        thrown,
      );
    }
  }

  async #direct(url: string, host: string, request: RoutedRequest): Promise<Response> {
    try {
      return await this.#send(url, request);
    } catch (thrown) {
      request.signal?.throwIfAborted();
      throw brokenLine(host, thrown);
    }
  }

  /** Remembers the relay for `host` once it has proved to reach it; false where there is no relay. */
  async #turnToRelay(host: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(await this.#hasRelay(signal))) return false;
    const response = await this.#viaRelay(host, '/v2/', { signal });
    void response.body?.cancel();
    await this.#options.routes.set(host, 'relay');
    return true;
  }

  /** A static host has no relay and answers with a page or a 404. */
  async #hasRelay(signal?: AbortSignal): Promise<boolean> {
    try {
      const response = await this.#send(`${this.#options.ownOrigin}/_relay/`, {
        headers: relayHeader,
        signal,
      });
      void response.body?.cancel();
      return response.status === 204;
    } catch {
      // Offline, or the companion was stopped: both are “no relay”, unless the caller left.
      signal?.throwIfAborted();
      return false;
    }
  }

  async #viaRelay(host: string, path: string, request: RoutedRequest): Promise<Response> {
    const url = `${this.#options.ownOrigin}/_relay/${host}${path}`;
    const headers = { ...request.headers, ...relayHeader };
    return throwRefusal(await this.#direct(url, 'The relay of this site', { ...request, headers }));
  }

  #send(url: string, { method = 'GET', headers, body, signal }: RoutedRequest): Promise<Response> {
    return this.#fetch(url, {
      method,
      headers: { ...headers },
      body: body ?? null,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // A redirected upload would carry a model to a host that nobody named.
      redirect: isRead(method) ? 'follow' : 'manual',
      signal: signal ?? null,
    });
  }
}

const relayHeader = { 'x-sampan-relay': '1' };

/** Registries on this machine and its network speak plain HTTP by custom; all others must not. */
export function schemeOf(host: string): 'http' | 'https' {
  const name = host.replace(/:\d+$/, '');
  const isLocal = name === 'localhost' || name === '127.0.0.1' || name === '[::1]';
  return isLocal || name.endsWith('.localhost') || name.endsWith('.local') ? 'http' : 'https';
}

function isRead(method: Method): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** CORS is granted by method and by kind of path: zot answers browsers for manifests only. */
function kindOf(host: string, path: string, { method = 'GET' }: RoutedRequest): string {
  const collection = /\/(manifests|blobs\/uploads?|blobs)\//.exec(path)?.[1] ?? '';
  return `${method} ${host} ${collection}`;
}

function brokenLine(host: string, cause: unknown): ApiError {
  return unreachable(`${host} is unreachable. Check the connection and try again.`, cause);
}

/** The relay refuses in our own shape, so its reason reaches the user; a registry's error body says `errors`. */
async function throwRefusal(response: Response): Promise<Response> {
  const { status, headers } = response;
  const isForwarded = headers.has('x-sampan-content-type');
  if (status < 400 || isForwarded || !headers.get('content-type')?.startsWith('application/json'))
    return response;
  const bytes = await readAtMost(response, maxRefusalBytes, () =>
    unreachable(`The relay answered HTTP ${status}.`),
  );
  const body = parseJson(bytes);
  if (typeof body === 'object' && body !== null && 'error' in body) throw errorFromBody(body, status);
  return new Response(bytes, { status, headers });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Not JSON after all, so not the relay's own words.
    return undefined;
  }
}
