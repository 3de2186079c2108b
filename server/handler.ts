/** One request to the companion: headers that every answer carries, the Host check, then whoever is responsible. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { ContentPolicy } from './content-policy.ts';
import type { AppFiles } from './files/app-files.ts';
import type { HostCheck } from './host-check.ts';
import { isolationHeaders } from './isolation.ts';
import { isRead, parseRequestPath, wantsPage, type RequestPath } from './paths.ts';
import { sendError } from './respond.ts';
import { routeOf, sendRoute, type RouteParts } from './routes.ts';

export interface HandlerParts extends RouteParts {
  readonly host: HostCheck;
  readonly policy: ContentPolicy;
  readonly app: AppFiles;
  readonly log: (line: string) => void;
}

export class CompanionHandler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      setHeaders(response, request, await this.#parts.policy.header());
      this.#parts.host.check(request);
      await this.#answer(request, response, parseRequestPath(request.url));
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) this.#parts.log(`error ${request.method ?? '-'} ${String(thrown)}`);
      sendError(response, toApiError(thrown));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, target: RequestPath): Promise<void> {
    const route = routeOf(request, target);
    if (route) return sendRoute(route, this.#parts, request, response, target);
    if (!isRead(request)) {
      refuseMethod(response);
      return;
    }
    const { app } = this.#parts;
    if (await app.send(request, response, target.path)) return;
    if (wantsPage(request) || target.path === '/') return app.sendPage(request, response);
    throw new ApiError('route_not_found', 'Nothing answers at this path. Check its spelling.');
  }
}

/** `/bridge` is opened by pages of other origins, as a window that they talk to. */
export function isBridgeNavigation(request: IncomingMessage): boolean {
  return wantsPage(request) && /^\/+bridge\/*(?:\?|$)/.test(request.url ?? '');
}

function setHeaders(response: ServerResponse, request: IncomingMessage, policy: string): void {
  const headers = isolationHeaders(isBridgeNavigation(request) ? 'kept' : 'severed');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Security-Policy', policy);
}

function refuseMethod(response: ServerResponse): void {
  const error = new ApiError('method_not_allowed', 'This path can only be read. Use GET or HEAD.');
  sendError(response, error, { Allow: 'GET, HEAD' });
}
