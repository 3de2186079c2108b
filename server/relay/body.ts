/** What a client sends through the relay: streamed, or read whole first under a limit. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ApiError } from '#lib/core/errors.ts';
import type { RelayPath } from './path.ts';

export type RelayBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly stream: Readable; readonly lengthBytes: number | undefined };

export const manifestLimitBytes = 4 * 2 ** 20;
const chunkLimitBytes = 32 * 2 ** 20;

/**
 * A PATCH is read whole before the registry sees any of it: a chunk that breaks off half-way kills the upload session
 * at the registry, while one that never began can be sent again. Throws `request_too_large`.
 */
export async function takeBody(request: IncomingMessage, { resource }: RelayPath): Promise<RelayBody> {
  const lengthBytes = contentLength(request);
  if (request.method === 'PATCH')
    return { kind: 'bytes', bytes: await readLimited(request, chunkLimitBytes) };
  if (request.method !== 'PUT' && request.method !== 'POST') return { kind: 'none' };
  if (lengthBytes === 0 || !hasBody(request)) return { kind: 'none' };
  if (resource.kind === 'manifest')
    return { kind: 'bytes', bytes: await readLimited(request, manifestLimitBytes) };
  return { kind: 'stream', stream: request, lengthBytes };
}

async function readLimited(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = new ApiError(
    'request_too_large',
    `The relay takes at most ${limitBytes / 2 ** 20} MiB in this request. Send smaller chunks.`,
  );
  if ((contentLength(request) ?? 0) > limitBytes) throw tooLarge;
  return readWhole(request, limitBytes, tooLarge);
}

/** Reads `stream` to its end; throws `tooLarge` once it is over the limit and leaves the stream alive for an answer. */
export async function readWhole(stream: Readable, limitBytes: number, tooLarge: ApiError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const reader: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  let sizeBytes = 0;
  for await (const bytes of reader) {
    sizeBytes += bytes.length;
    if (sizeBytes > limitBytes) throw tooLarge;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, sizeBytes);
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || contentLength(request) !== undefined;
}

function contentLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}
