/** A foreign page's request as the runner sees it: whose it is, is said by the window and never by the page. */
import { ApiError } from '#lib/core/errors.ts';
import type { WireRequest } from '#lib/bridge/wire-request.ts';
import type { ForeignOpen } from './protocol.ts';

/** Whose requests they are. */
export interface ForeignPage {
  readonly origin: string;
  /** What it was allowed until it is closed; `undefined` where the runner keeps a grant. */
  readonly once: 'all' | readonly string[] | undefined;
}

/** Docker Model Runner's limit. */
const maxBodyBytes = 10 * 1024 * 1024;

/** What an endpoint reads. Secrets of the page stay with it, and nobody but a carrier says who asks. */
const passing = /^(accept|content-type|warning|x-preload-only|anthropic-version|x-stainless-[a-z-]{1,40})$/;
const plainValue = /^[\t\x20-\x7e]{0,1000}$/;

/** Throws `request_too_large` above 10 MiB. */
export function toWireRequest({ method, url, headers, body }: ForeignOpen, page: ForeignPage): WireRequest {
  if (body && body.byteLength > maxBodyBytes) {
    throw new ApiError('request_too_large', 'The request is larger than 10 MiB. Send less at once.');
  }
  const kept = headers
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name, value]) => passing.test(name) && plainValue.test(value));
  const takesBody = method !== 'GET' && method !== 'HEAD' && body && body.byteLength > 0;
  return { method, url, headers: [...kept, ...identity(page)], body: takesBody ? body : undefined };
}

function identity({ origin, once }: ForeignPage): [string, string][] {
  const said: [string, string][] = [
    ['x-sampan-source', 'site'],
    ['x-sampan-origin', origin],
  ];
  if (once === undefined) return said;
  return [...said, ['x-sampan-models', once === 'all' ? once : encodeURIComponent(JSON.stringify(once))]];
}
