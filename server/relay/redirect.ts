/** Redirects of downloads, by hand: registries keep their blobs on other hosts, and each of those is checked anew. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';
import { authorityOf, type AllowList } from './allow.ts';
import { withoutCredentials } from './headers.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

const limit = 5;
const statuses = new Set([301, 302, 303, 307, 308]);

export interface Answer {
  readonly response: IncomingMessage;
  /** Where it came from in the end. */
  readonly url: URL;
}

/** Only reads follow. Throws `registry_unreachable` for a redirect that goes nowhere, `forbidden_origin` for a private one. */
export async function sendFollowing(
  upstream: Upstream,
  allow: AllowList,
  first: UpstreamRequest,
): Promise<Answer> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const response = await upstream.send(request);
    if (!isRedirect(response)) return { response, url: request.target.url };
    // Its body is of no use, and the connection is not kept.
    response.destroy();
    if (!isRead(request.method)) throw unfollowed('an upload');
    if (hops === limit) throw unfollowed(`more than ${limit} times`);
    request = nextHop(request, response.headers.location, allow);
  }
}

/** The same read at the next place: the range stays, credentials stay on their host. */
export function nextHop(
  request: UpstreamRequest,
  location: string | undefined,
  allow: AllowList,
): UpstreamRequest {
  const { url: from, access } = request.target;
  if (location === undefined || !URL.canParse(location, from)) throw unfollowed('to no place');
  const target = allow.admitUrl(new URL(location, from));
  if (access === 'public' && target.access === 'opted-in') {
    throw new ApiError(
      'forbidden_origin',
      'A public registry redirects to a private address, which the relay does not follow.',
    );
  }
  const isSameHost = target.url.protocol === from.protocol && authorityOf(target.url) === authorityOf(from);
  return { ...request, target, headers: isSameHost ? request.headers : withoutCredentials(request.headers) };
}

function isRedirect(response: IncomingMessage): boolean {
  return statuses.has(response.statusCode ?? 0);
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function unfollowed(what: string): ApiError {
  return new ApiError(
    'registry_unreachable',
    `The registry redirects ${what}, which the relay does not follow. Try again later.`,
  );
}
