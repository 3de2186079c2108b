/** Starts the companion: the app, the relay, the embedded registry and the gateway on one port. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { ContentPolicy } from './content-policy.ts';
import { AppFiles } from './files/app-files.ts';
import { SocketGateway } from './gateway/gateway.ts';
import type { TabGateway } from './gateway/port.ts';
import { CompanionHandler } from './handler.ts';
import { HostCheck } from './host-check.ts';
import { isolationHeaders } from './isolation.ts';
import { Origins } from './origins.ts';
import { EmbeddedRegistry } from './registry/registry.ts';
import type { ResolveName } from './relay/address.ts';
import { parseOptIn } from './relay/allow.ts';
import { Relay } from './relay/relay.ts';
import type { RelayTimeouts } from './relay/upstream.ts';

export interface CompanionOptions {
  /** The built app: `index.html`, `_app/`, `v2/`. */
  readonly appDir: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** Private registries that the relay may reach, as `host:port`. */
  readonly relayAllow?: readonly string[];
  /** Of the pages that may use the API, besides our own; see `originEntry`. */
  readonly origins?: readonly string[];
  /** How long a request waits for the first tab: a headless one takes a moment to come up. */
  readonly firstTabMs?: number;
  readonly clock?: Clock;
  readonly gateway?: TabGateway;
  readonly log?: (line: string) => void;
  readonly relayTimeouts?: RelayTimeouts;
  readonly resolveName?: ResolveName;
}

export interface Companion {
  readonly port: number;
  readonly url: string;
  /** Breaks off what is under way; resolves when the port is free. */
  close(): Promise<void>;
}

const silent = () => undefined;

/** Rejects with the system's error when the port cannot be had, `invalid_request` for a bad entry of a list. */
export async function startCompanion(options: CompanionOptions): Promise<Companion> {
  const { host = '127.0.0.1', log = silent } = options;
  const app = new AppFiles(options.appDir);
  const policy = new ContentPolicy(app.indexPath);
  const relay = new Relay({
    optIns: (options.relayAllow ?? []).map(parseOptIn),
    log,
    timeouts: options.relayTimeouts,
    resolveName: options.resolveName,
  });
  const registry = new EmbeddedRegistry(join(options.appDir, 'v2'));
  const hostCheck = new HostCheck(host);
  const { firstTabMs, clock } = options;
  const gateway: TabGateway = options.gateway ?? new SocketGateway({ host: hostCheck, firstTabMs, clock });
  const handler = new CompanionHandler({
    app,
    policy,
    relay,
    registry,
    gateway,
    origins: new Origins(options.origins ?? [], () => gateway.originRules),
    host: hostCheck,
    log,
  });
  await policy.header();
  const server = createServer(serverOptions, (request, response) => void handler.handle(request, response));
  server.on('clientError', (_error, socket) => refuseMalformed(socket, policy.current));
  if (gateway.upgrade) {
    server.on('upgrade', (request, socket, head) => gateway.upgrade?.(request, socket, head));
  }
  const port = await listen(server, options.port, host);
  return { port, url: urlOf(host, port), close: () => close(server, gateway) };
}

/** The missing Host is refused by our own check, with our headers. An upload of gigabytes takes as long as it takes. */
const serverOptions = { requireHostHeader: false, requestTimeout: 0 };

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function close(server: Server, gateway: TabGateway): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    gateway.close?.();
    server.closeAllConnections();
  });
}

/** `localhost` is the name that browsers count as secure. */
function urlOf(host: string, port: number): string {
  const isHere = ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::'].includes(host);
  return `http://${isHere ? 'localhost' : host}:${port}`;
}

/** What the HTTP parser refuses (two lengths, broken chunks, oversize headers) never becomes a request. */
function refuseMalformed(socket: Duplex, policy: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(
    new ApiError('invalid_request', 'The request is not valid HTTP. Send it again.'),
  );
  const headers = {
    ...isolationHeaders('severed'),
    'Content-Security-Policy': policy,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'x-should-retry': 'false',
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n'));
}
