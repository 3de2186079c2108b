/** A request as it crosses, and the way there and back. */
import { ApiError } from '#lib/core/errors.ts';
import { collapseSlashes, isUploadPath } from './paths.ts';

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array<ArrayBuffer> | Blob | undefined;
}

/** Who asks, told by the carrier and never by the client: the app's own pages, or a script of this origin. */
export type RequestSource = 'page' | 'tab';

/** Docker Model Runner's limit. */
const maxBodyBytes = 10 * 1024 * 1024;

/** Reads the whole body, of an upload only its handle; throws `request_too_large` above 10 MiB. */
export async function readRequest(request: Request, source: RequestSource): Promise<WireRequest> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set('x-sampan-source', source);
  return {
    method: request.method,
    url: collapseSlashes(pathname) + search,
    headers: [...headers],
    body: isUploadPath(pathname) ? await readUpload(request) : await readBody(request),
  };
}

/** The same request on the runner's side. */
export function toRequest(
  wire: Omit<WireRequest, 'body'>,
  body: WireRequest['body'],
  signal: AbortSignal,
): Request {
  const { method, url, headers } = wire;
  return new Request(self.location.origin + url, { method, headers, signal, ...(body && { body }) });
}

/** Chromium passes the handle of a `Blob` body on; any other body it keeps for us, on the disk when it is large. */
async function readUpload(request: Request): Promise<WireRequest['body']> {
  const blob = await request.blob();
  return blob.size === 0 ? undefined : blob;
}

async function readBody(request: Request): Promise<WireRequest['body']> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const buffer = await request.arrayBuffer();
  if (buffer.byteLength > maxBodyBytes) {
    throw new ApiError('request_too_large', 'The request is larger than 10 MiB. Send less at once.');
  }
  return buffer.byteLength === 0 ? undefined : new Uint8Array(buffer);
}
