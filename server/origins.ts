/**
 * Which web pages may use the API. A browser sends a page's request here whoever the page belongs to, and only this list
 * keeps it out; programs other than browsers send no Origin and are not asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';

/** `*`, an exact origin, or an origin with any port, as `http://localhost:*`. */
const entryShape =
  /^(?<scheme>https?|chrome-extension|moz-extension|app|tauri|vscode-webview|capacitor):\/\/(?<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?<port>:\*|:\d{1,5})?$/;

const exposed = 'x-request-id, x-should-retry, retry-after, warning, content-disposition';
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const usualHeaders = 'authorization, content-type';
const headerList = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const preflightAgeSeconds = '600';

export class Origins {
  readonly #entries: ReadonlySet<string>;

  /** Entries as `originEntry` returns them. Throws `invalid_request` for anything else. */
  constructor(entries: readonly string[]) {
    this.#entries = new Set(entries.map(originEntry));
  }

  /**
   * Throws `forbidden_origin` before any work; sets the headers that let the page read its answer. `answered` for a
   * preflight, which needs nobody else.
   */
  admit(request: IncomingMessage, response: ServerResponse): 'go-on' | 'answered' {
    response.appendHeader('Vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined) {
      this.#refuseHiddenPage(request);
      return 'go-on';
    }
    const isOurs = origin === `http://${request.headers.host ?? ''}`;
    if (!isOurs && !this.#allows(origin)) throw forbidden();
    if (!isOurs) allowReading(response, origin);
    if (!isPreflight(request)) return 'go-on';
    answerPreflight(request, response);
    return 'answered';
  }

  #allows(origin: string): boolean {
    const written = origin.toLowerCase();
    if (this.#entries.has('*') || this.#entries.has(written)) return true;
    const anyPort = /^[a-z-]+:\/\/(?:\[[0-9a-f:.]+\]|[^:/]+)/.exec(written)?.[0];
    return anyPort !== undefined && this.#entries.has(`${anyPort}:*`);
  }

  /** Images, scripts and links of other sites come without an Origin, but a browser still says where from. */
  #refuseHiddenPage({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site'];
    if ((site === 'cross-site' || site === 'same-site') && !this.#entries.has('*')) throw forbidden();
  }
}

/** One entry of the list, as it is compared; throws `invalid_request` with what is wrong. */
export function originEntry(text: string): string {
  const entry = text.toLowerCase().replace(/\/$/, '');
  if (entry === '*') return entry;
  const { scheme, host, port } = entryShape.exec(entry)?.groups ?? {};
  if (scheme === undefined || host === undefined) {
    throw new ApiError(
      'invalid_request',
      `“${text}” is no origin. Write it like http://localhost:3000, http://localhost:* or *.`,
    );
  }
  // Browsers leave the scheme's own port out.
  const isOwnPort = (scheme === 'http' && port === ':80') || (scheme === 'https' && port === ':443');
  return isOwnPort ? `${scheme}://${host}` : entry;
}

function forbidden(): ApiError {
  return new ApiError(
    'forbidden_origin',
    'This page’s origin may not use Sampan. Start Sampan with --origin and the page’s origin (or SAMPAN_ORIGINS).',
  );
}

function allowReading(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.setHeader('Access-Control-Expose-Headers', exposed);
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** The headers are named one by one: a literal `*` does not count for requests with credentials (Fetch standard). */
function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = headers['access-control-request-headers']?.trim() ?? '';
  response.appendHeader('Vary', 'Access-Control-Request-Headers');
  response.setHeader('Access-Control-Allow-Methods', methods);
  response.setHeader('Access-Control-Allow-Headers', headerList.test(asked) ? asked : usualHeaders);
  response.setHeader('Access-Control-Max-Age', preflightAgeSeconds);
  if (headers['access-control-request-private-network'] === 'true') {
    response.setHeader('Access-Control-Allow-Private-Network', 'true');
  }
  response.writeHead(204).end();
}
