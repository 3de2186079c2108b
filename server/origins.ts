/**
 * Which web pages may use the API: those that this companion was started with, and those that the user allowed in the
 * connected tab. A browser sends a page's request here whoever the page belongs to, and only these lists keep it out;
 * programs other than browsers send no Origin and are not asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import { entriesFor, originEntry, ruledBy, type OriginRules } from '#lib/core/origin.ts';

const exposed = 'x-request-id, x-should-retry, retry-after, warning, content-disposition';
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const usualHeaders = 'authorization, content-type';
const headerList = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const preflightAgeSeconds = '600';

const undecided: OriginRules = { allowed: [], refused: [] };

export class Origins {
  readonly #entries: ReadonlySet<string>;
  readonly #tabRules: () => OriginRules | undefined;

  /**
   * Entries as `originEntry` returns them; throws `invalid_request` for anything else. `tabRules` is what the user has
   * decided in the tab that is connected now.
   */
  constructor(entries: readonly string[], tabRules: () => OriginRules | undefined = () => undefined) {
    this.#entries = new Set(entries.map(originEntry));
    this.#tabRules = tabRules;
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

  /** The user's word about an origin counts for more than how this companion was started. */
  #allows(origin: string): boolean {
    const ruled = ruledBy(this.#tabRules() ?? undecided, origin);
    if (ruled !== undefined) return ruled === 'allowed';
    return entriesFor(origin).some((entry) => this.#entries.has(entry));
  }

  /** Images, scripts and links of other sites come without an Origin, but a browser still says where from. */
  #refuseHiddenPage({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site'];
    const isForeign = site === 'cross-site' || site === 'same-site';
    if (isForeign && !this.#allows('*')) throw forbidden();
  }
}

function forbidden(): ApiError {
  return new ApiError(
    'forbidden_origin',
    'This page’s origin may not use Sampan. Allow it in Sampan’s settings, or start Sampan with --origin and the page’s origin (or SAMPAN_ORIGINS).',
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
