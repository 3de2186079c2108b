/** Which endpoint answers a path. Aliases are folded here, so that an endpoint knows one path only. */
import { ApiError } from '#lib/core/errors.ts';

export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** What `*` of the route's pattern stood for, decoded. */
  readonly rest: string;
  /** `false` when absent; present but empty is true, unparsable is false (dmr-api.md section 2). */
  flag(name: string): boolean;
  /** The parsed JSON body. Throws `invalid_request`, `request_too_large`. */
  json(): Promise<unknown>;
  /** As `json`; `undefined` when there is no body. */
  optionalJson(): Promise<unknown>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A path; one `*` stands for anything, slashes included. The first match wins. */
  readonly pattern: string;
  readonly handle: (call: Call) => Promise<Response> | Response;
}

const engineNames = ['llama.cpp', 'webllm'];
const maxBodyBytes = 10 * 1024 * 1024;

export class Router {
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes;
  }

  /** Throws `route_not_found`; a known path with another method is answered 405 with `Allow`. */
  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = foldAliases(url.pathname.replace(/\/{2,}/g, '/'));
    const matches = this.#routes.flatMap((route) => {
      const rest = match(route.pattern, path);
      return rest === undefined ? [] : [{ route, rest }];
    });
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const hit = matches.find(({ route }) => route.method === method);
    if (hit) return hit.route.handle(makeCall(request, url, hit.rest));
    if (matches.length === 0) throw new ApiError('route_not_found', `There is nothing at ${path}.`);
    const allow = [...new Set(matches.map(({ route }) => route.method))].join(', ');
    const error = new ApiError(
      'method_not_allowed',
      `${request.method} is not possible here, only ${allow}.`,
    );
    return error.toResponse({ allow });
  }
}

/** `/v1/x`, `/engines/llama.cpp/v1/x` → `/engines/v1/x`, `/engines/llama.cpp/_configure` → `/engines/_configure`. Throws `route_not_found` for an engine that is not there. */
function foldAliases(path: string): string {
  if (path === '/v1' || path.startsWith('/v1/')) return `/engines${path}`;
  const [, engine, rest] = /^\/engines\/([^/]+)(\/v1\/.*|\/_configure)$/.exec(path) ?? [];
  if (engine === undefined || rest === undefined) return path;
  if (engineNames.includes(engine)) return `/engines${rest}`;
  throw new ApiError(
    'route_not_found',
    `There is no engine “${engine}”. This version runs ${engineNames.join(', ')}.`,
  );
}

function match(pattern: string, path: string): string | undefined {
  const [head = '', tail] = pattern.split('*');
  if (tail === undefined) return path === pattern ? '' : undefined;
  if (!path.startsWith(head) || !path.endsWith(tail)) return undefined;
  const rest = path.slice(head.length, path.length - tail.length);
  return rest === '' || rest.length < 0 ? undefined : decode(rest);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ApiError('invalid_request', 'The path holds a broken percent escape.', { cause });
  }
}

function makeCall(request: Request, url: URL, rest: string): Call {
  return {
    request,
    url,
    rest,
    flag: (name) => {
      const value = url.searchParams.get(name);
      return value === '' || value === 'true' || value === '1' || value === 't';
    },
    json: async () => parseJson(await readBody(request)),
    optionalJson: async () => {
      const bytes = await readBody(request);
      return bytes.byteLength === 0 ? undefined : parseJson(bytes);
    },
  };
}

async function readBody(request: Request): Promise<ArrayBuffer> {
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength <= maxBodyBytes) return bytes;
  throw new ApiError('request_too_large', 'The body is larger than 10 MiB. Shorten it.');
}

function parseJson(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ApiError('invalid_request', 'The body is not valid JSON.', { cause });
  }
}
