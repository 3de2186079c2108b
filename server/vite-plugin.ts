/** The companion inside `vite dev` and `vite preview`, so that development has the relay and the isolation headers too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { toApiError } from '#lib/core/errors.ts';
import { NoTabGateway } from './gateway/no-tab.ts';
import { isBridgeNavigation } from './handler.ts';
import { HostCheck } from './host-check.ts';
import { isolationHeaders } from './isolation.ts';
import { parseRequestPath } from './paths.ts';
import { EmbeddedRegistry } from './registry/registry.ts';
import { parseOptIn } from './relay/allow.ts';
import { Relay } from './relay/relay.ts';
import { sendError } from './respond.ts';
import { routeOf, sendRoute, type RouteParts } from './routes.ts';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** No Content-Security-Policy here: Vite and the pages it renders on the fly need inline scripts. */
export function companionPlugin(): Plugin {
  return {
    name: 'sampan-companion',
    configureServer(server) {
      server.middlewares.use(
        middleware(join(server.config.root, 'static'), (line) => server.config.logger.info(line)),
      );
    },
    configurePreviewServer(server) {
      const appDir = join(server.config.root, 'build/app');
      server.middlewares.use(middleware(appDir, (line) => server.config.logger.info(line)));
    },
  };
}

function middleware(appDir: string, log: (line: string) => void): Middleware {
  const allowed = (process.env.SAMPAN_RELAY_ALLOW ?? '').split(',').filter((entry) => entry.trim() !== '');
  const parts: RouteParts = {
    relay: new Relay({ optIns: allowed.map(parseOptIn), log }),
    registry: new EmbeddedRegistry(join(appDir, 'v2')),
    gateway: new NoTabGateway(),
  };
  const host = new HostCheck('127.0.0.1');
  return (request, response, next) => {
    const headers = isolationHeaders(isBridgeNavigation(request) ? 'kept' : 'severed');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(request, response, parts, host).then(
      (result) => {
        if (result === 'left') next();
      },
      (thrown: unknown) => sendError(response, toApiError(thrown)),
    );
  };
}

/** `left` when Vite is to answer. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: RouteParts,
  host: HostCheck,
): Promise<'sent' | 'left'> {
  const target = parseRequestPath(request.url);
  const route = routeOf(request, target);
  if (!route) return 'left';
  host.check(request);
  await sendRoute(route, parts, request, response, target);
  return 'sent';
}
