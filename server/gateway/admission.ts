/** Who may be the engine: only a page that this companion itself served to a browser on this machine. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { gatewaySubprotocol, tokenSubprotocolPrefix } from '#lib/bridge/socket/protocol.ts';
import { ApiError } from '#lib/core/errors.ts';

/**
 * Throws unless the upgrade comes from our own page (a WebSocket ignores CORS, so its Origin is checked here), knows the
 * token, and speaks our version. The Host was checked.
 */
export function admitTab(request: IncomingMessage, token: string): void {
  requireLoopback(request);
  const { origin, host = '' } = request.headers;
  if (origin !== `http://${host}`) {
    throw new ApiError('forbidden_origin', 'Only Sampan’s own page may connect here. Reload it.');
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((text) => text.trim());
  if (!offered.includes(gatewaySubprotocol)) {
    throw new ApiError('invalid_request', 'This page and Sampan are of different versions. Reload the page.');
  }
  const told = offered.find((text) => text.startsWith(tokenSubprotocolPrefix)) ?? '';
  if (!isSame(told.slice(tokenSubprotocolPrefix.length), token)) {
    throw new ApiError('unauthorized', 'The token is not this companion’s. Reload the page.');
  }
}

/**
 * Throws unless a page of ours asks for the token. Other programs could pretend to be one, but they could as well read
 * this process; other sites cannot: they do not choose `Sec-Fetch-Site`, and without CORS they do not see the answer.
 */
export function admitIntroduction(request: IncomingMessage): void {
  requireLoopback(request);
  if (request.headers['sec-fetch-site'] !== 'same-origin') {
    throw new ApiError('forbidden_origin', 'Only Sampan’s own page may ask this.');
  }
}

/** With `--host` other machines may use the models, but an engine sees every prompt, so it stands on this one. */
function requireLoopback({ socket }: IncomingMessage): void {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (address === '::1' || address.startsWith('127.')) return;
  throw new ApiError('forbidden_origin', 'Models run only in a browser on the machine that runs Sampan.');
}

function isSame(told: string, token: string): boolean {
  const [a, b] = [Buffer.from(told), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
