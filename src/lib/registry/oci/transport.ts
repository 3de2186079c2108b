/** Asks a registry about one repository: finds the route, signs in when asked to, and says why when refused. */
import type { Clock } from '#lib/core/clock.ts';
import { withDeadline } from '#lib/registry/http.ts';
import { Router, type RouterOptions } from './route.ts';
import { SignIn } from './sign-in.ts';
import { refusal, registryName, signInError, type Asked } from './status.ts';
import { TokenCache, type TokenKey } from './tokens.ts';

export interface TransportOptions extends RouterOptions {
  readonly clock: Clock;
}

export interface TransportRequest extends Asked {
  /** Below `/v2/<repository>/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For a whole document, and for the headers of a layer; a layer's own bytes are the caller's to watch. */
const deadlineMs = 30_000;

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
   * A response with the status 200, or 206 or 416 to a range, which `read` reads before the deadline.
   * Throws `registry_unreachable`, `unauthorized`, `model_not_found`, `rate_limited`.
   */
  get<Result>(
    request: TransportRequest,
    read: (response: Response) => Result | Promise<Result>,
  ): Promise<Result> {
    const server = registryName(request.reference.registry);
    const { signal } = request;
    return withDeadline({ clock: this.#clock, delayMs: deadlineMs, server, signal }, async (limited) =>
      read(await this.#getAuthorized(request, limited)),
    );
  }

  async #getAuthorized(request: TransportRequest, signal: AbortSignal): Promise<Response> {
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
    const { reference, path } = request;
    const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
    return this.#router.get(serverOf(reference.registry), `/v2/${reference.repository}/${path}`, {
      headers,
      signal,
    });
  }
}

function accept(response: Response, request: TransportRequest): Response {
  const isAnswerToRange = request.headers?.range !== undefined && [206, 416].includes(response.status);
  if (response.status === 200 || isAnswerToRange) return response;
  void response.body?.cancel();
  throw refusal(response, request);
}

function tokenKey({ reference, credentials }: TransportRequest): TokenKey {
  return {
    host: serverOf(reference.registry),
    scope: `repository:${reference.repository}:pull`,
    credentials,
  };
}

function serverOf(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry;
}
