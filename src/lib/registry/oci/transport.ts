/** Asks a registry about one repository: finds the route, signs in when asked to, and says why when refused. */
import type { Clock } from '#lib/core/clock.ts';
import { withDeadline } from '#lib/registry/http.ts';
import { pushRefusal } from './push-refusal.ts';
import { Router, type RoutedRequest, type RouterOptions } from './route.ts';
import { SignIn } from './sign-in.ts';
import { refusal, registryName, signInError, type Asked } from './status.ts';
import { TokenCache, type TokenKey } from './tokens.ts';

export interface TransportOptions extends RouterOptions {
  readonly clock: Clock;
}

export interface TransportRequest extends Asked, RoutedRequest {
  /** Below `/v2/<repository>/`; with a slash at the start, from the root, as the place of an upload is. */
  readonly path: string;
  /** Statuses that are an answer; 200 unless it says otherwise. Any other is a refusal. */
  readonly accepts?: readonly number[] | undefined;
  /** Another repository that is read on the way: a mount needs two scopes. */
  readonly alsoPulls?: string | undefined;
  /** For the whole of it, `read` included. */
  readonly deadlineMs?: number | undefined;
}

/** For a whole document, and for the headers of a layer; a layer's own bytes are the caller's to watch. */
const usualDeadlineMs = 30_000;

export class Transport {
  readonly #clock: Clock;
  readonly #router: Router;
  readonly #tokens: TokenCache;
  readonly #signIn: SignIn;

  constructor(options: TransportOptions) {
    this.#clock = options.clock;
    this.#router = new Router(options);
    this.#tokens = new TokenCache(options);
    this.#signIn = new SignIn({ router: this.#router, tokens: this.#tokens });
  }

  /**
   * A response with one of the accepted statuses, which `read` reads before the deadline.
   * Throws `registry_unreachable`, `unauthorized`, `rate_limited` and what else a refusal of the purpose means.
   */
  send<Result>(
    request: TransportRequest,
    read: (response: Response) => Result | Promise<Result>,
  ): Promise<Result> {
    const server = registryName(request.reference.registry);
    const { signal, deadlineMs = usualDeadlineMs } = request;
    return withDeadline({ clock: this.#clock, delayMs: deadlineMs, server, signal }, async (limited) =>
      read(await this.#sendAuthorized(request, limited)),
    );
  }

  /** Where the upload that answered `request` with `response` goes on; see `Router.uploadPath`. */
  uploadPath(request: TransportRequest, response: Response): Promise<string | undefined> {
    const host = serverOf(request.reference.registry);
    return this.#router.uploadPath(host, pathOf(request), response, request.signal);
  }

  async #sendAuthorized(request: TransportRequest, signal: AbortSignal): Promise<Response> {
    const key = tokenKey(request);
    const first = await this.#send(request, this.#tokens.get(key), signal);
    if (first.status !== 401) return accept(first, request);
    void first.body?.cancel();
    this.#tokens.forget(key);
    const authorization = await this.#signIn.answer(first, { ...request, key, signal });
    const second = await this.#send(request, authorization, signal);
    if (second.status === 401) {
      void second.body?.cancel();
      this.#tokens.forget(key);
      throw signInError(request);
    }
    return accept(second, request);
  }

  #send(
    request: TransportRequest,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const { reference, method, body } = request;
    const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
    return this.#router.send(serverOf(reference.registry), pathOf(request), {
      method,
      headers,
      body,
      signal,
    });
  }
}

async function accept(response: Response, request: TransportRequest): Promise<Response> {
  if ((request.accepts ?? [200]).includes(response.status)) return response;
  if (request.purpose === 'push') throw await pushRefusal(response, request);
  void response.body?.cancel();
  throw refusal(response, request);
}

function tokenKey({ reference, credentials, purpose, alsoPulls }: TransportRequest): TokenKey {
  const actions = purpose === 'push' ? 'pull,push' : 'pull';
  const scope = `repository:${reference.repository}:${actions}`;
  return {
    host: serverOf(reference.registry),
    scope: alsoPulls === undefined ? scope : `${scope} repository:${alsoPulls}:pull`,
    credentials,
  };
}

function pathOf({ path, reference }: TransportRequest): string {
  return path.startsWith('/') ? path : `/v2/${reference.repository}/${path}`;
}

function serverOf(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry;
}
