/** Which headers cross between a program and the tab, and which belong to one connection or to the companion alone. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** RFC 9110 section 7.6.1, and what older clients still send. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The runner needs no secrets: it asks nobody who they are. */
const staysHere = new Set(['host', 'expect', 'cookie', 'authorization', 'proxy-authorization', 'x-api-key']);

/** Isolation and origins are decided by the companion, whatever the tab says. */
const isOurs = /^(access-control-|cross-origin-|content-security-policy|set-cookie)/;

export function requestHeaders({ headers, rawHeaders }: IncomingMessage): [string, string][] {
  const named = namedByConnection(headers.connection);
  const kept: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (hopByHop.has(name) || staysHere.has(name) || named.has(name)) continue;
    kept.push([name, rawHeaders[index + 1] ?? '']);
  }
  return kept;
}

/** Throws where a name or value is none that HTTP allows, a line break above all; nothing is sent then. */
export function sendHead(
  response: ServerResponse,
  status: number,
  headers: readonly [string, string][],
): void {
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || isOurs.test(lower)) continue;
    if (lower === 'vary') response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
  response.flushHeaders();
}

function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
