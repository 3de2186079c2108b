/** What the companion answers to programs, in its own server and in Vite's: the relay, the registry, the API. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import type { TabGateway } from './gateway/port.ts';
import type { Origins } from './origins.ts';
import { isApiPath, wantsPage, type RequestPath } from './paths.ts';
import type { EmbeddedRegistry } from './registry/registry.ts';
import type { Relay } from './relay/relay.ts';
import { sendError } from './respond.ts';

export interface RouteParts {
  readonly relay: Relay;
  readonly registry: EmbeddedRegistry;
  readonly gateway: TabGateway;
  readonly origins: Origins;
}

export type Route = 'relay' | 'registry' | 'gateway';

/** Which part answers; undefined leaves it to the app. */
export function routeOf(request: IncomingMessage, { path }: RequestPath): Route | undefined {
  if (path === '/_relay' || path.startsWith('/_relay/')) return 'relay';
  if (path === '/v2' || path.startsWith('/v2/')) return 'registry';
  return isApiPath(path) && !wantsPage(request) ? 'gateway' : undefined;
}

export async function sendRoute(
  route: Route,
  parts: RouteParts,
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestPath,
): Promise<void> {
  if (route === 'relay') return parts.relay.handle(request, response, target);
  if (route === 'registry') return parts.registry.handle(request, response, target.path);
  if (parts.origins.admit(request, response) === 'answered') return;
  if (request.method === 'TRACE') {
    refuseTrace(response);
    return;
  }
  request.url = target.path + target.search;
  return parts.gateway.handle(request, response);
}

/** The Fetch standard has no request of this method, so no tab can be asked. */
function refuseTrace(response: ServerResponse): void {
  const error = new ApiError('method_not_allowed', 'TRACE is not possible here, only reading and writing.');
  sendError(response, error, { Allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' });
}
