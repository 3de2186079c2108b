/** The app's own origin with a relay, as far as the registry client can tell; `server/relay` is the real one. */
import { ApiError } from '#lib/core/errors.ts';
import { startServer, type TestServer } from './http-server.ts';

export interface RelayOptions {
  /** Answers for a host instead of relaying. */
  readonly refuse?: (host: string) => ApiError | undefined;
  /** A static host has none: it answers everything with its page. */
  readonly present?: boolean;
}

export function startRelay(options: RelayOptions = {}): Promise<TestServer> {
  const { refuse = () => undefined, present = true } = options;
  return startServer(async (request, response, url) => {
    if (!present) return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    if (url.pathname === '/_relay/') return void response.writeHead(204).end();
    const [, host, rest] = /^\/_relay\/([^/]+)(\/.*)$/.exec(`${url.pathname}${url.search}`) ?? [];
    const refusal =
      request.headers['x-sampan-relay'] !== '1' || host === undefined
        ? new ApiError('forbidden_origin', 'The relay serves this app only. Open Sampan itself.')
        : refuse(host);
    if (refusal) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
      return;
    }
    const { accept, authorization, range } = request.headers;
    const headers = Object.entries({ accept, authorization, range }).flatMap(
      ([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]),
    );
    const upstream = await fetch(`http://${host}${rest}`, { headers });
    for (const name of ['content-range', 'docker-content-digest', 'www-authenticate', 'retry-after']) {
      const value = upstream.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('x-sampan-content-type', upstream.headers.get('content-type') ?? '');
    response.writeHead(upstream.status).end(Buffer.from(await upstream.arrayBuffer()));
  });
}
