/** One path, two representations: which requests want the page and which want the API. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '#lib/core/errors.ts';

/** A request target, as written, with double slashes collapsed. */
export interface RequestPath {
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
}

type RequestHead = Pick<IncomingMessage, 'method' | 'headers'>;

const apiRoots = ['/engines', '/v1', '/models', '/api', '/anthropic', '/responses', '/_sampan'];
const apiPaths = new Set([
  '/rerank',
  '/score',
  '/tokenize',
  '/detokenize',
  '/openapi.json',
  '/logs',
  '/requests',
  '/metrics',
  '/version',
]);

/** Throws `invalid_request` for anything but a plain path. */
export function parseRequestPath(requestTarget: string | undefined): RequestPath {
  if (!requestTarget?.startsWith('/')) {
    throw new ApiError('invalid_request', 'The request line needs a path that starts with a slash.');
  }
  const query = requestTarget.indexOf('?');
  const path = query === -1 ? requestTarget : requestTarget.slice(0, query);
  return { path: path.replace(/\/{2,}/g, '/'), search: query === -1 ? '' : requestTarget.slice(query) };
}

export function isApiPath(path: string): boolean {
  return apiPaths.has(path) || apiRoots.some((root) => path === root || path.startsWith(`${root}/`));
}

/** True for a navigation: a reading request that takes HTML. */
export function wantsPage(request: RequestHead): boolean {
  return isRead(request) && (request.headers.accept ?? '').split(',').some(isHtml);
}

export function isRead(request: RequestHead): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function isHtml(range: string): boolean {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  return type === 'text/html' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
}
