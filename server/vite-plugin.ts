/** The companion inside `vite dev` and `vite preview`, so that development has the relay and the isolation headers too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Plugin, PreviewServer, ViteDevServer } from 'vite';
import { gatewayPath } from '#lib/bridge/socket/protocol.ts';
import { toApiError } from '#lib/core/errors.ts';
import { SocketGateway } from './gateway/gateway.ts';
import { isBridgeNavigation } from './handler.ts';
import { HostCheck } from './host-check.ts';
import { isolationHeaders } from './isolation.ts';
import { parseLists } from './options.ts';
import { Origins } from './origins.ts';
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
    configureServer: (server) => {
      mount(server, 'static');
      server.middlewares.use(clientScript);
    },
    configurePreviewServer: (server) => mount(server, 'build/app'),
  };
}

function mount({ config, httpServer, middlewares }: ViteDevServer | PreviewServer, appFolder: string): void {
  const { relayAllow, origins } = parseLists(process.env);
  const log = (line: string) => config.logger.info(line);
  const host = new HostCheck('127.0.0.1');
  const gateway = new SocketGateway({ host });
  const parts: RouteParts = {
    relay: new Relay({ optIns: relayAllow.map(parseOptIn), log }),
    registry: new EmbeddedRegistry(join(config.root, appFolder, 'v2')),
    gateway,
    origins: new Origins(origins, () => gateway.originRules),
  };
  middlewares.use(middleware(parts, host));
  httpServer?.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Others are Vite's own.
    if (request.url?.split('?', 1)[0] === gatewayPath) gateway.upgrade(request, socket, head);
  });
  httpServer?.on('close', () => gateway.close());
}

/** Unbundled, as all else in development. */
function clientScript(request: IncomingMessage, _response: ServerResponse, next: () => void): void {
  if (request.url === '/sampan.js') request.url = '/src/sampan-js/connect.ts';
  next();
}

function middleware(parts: RouteParts, host: HostCheck): Middleware {
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
