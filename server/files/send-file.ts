/** Sends one file from disk: negotiated encoding, strong ETag, 304, single ranges. Nothing is held in memory. */
import { open, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Headers } from '#server/respond.ts';
import { acceptedEncodings, suffixes, type Encoding } from './encoding.ts';
import { parseRange, type ByteSpan } from './range.ts';

export interface FileAnswer {
  readonly path: string;
  readonly contentType: string;
  readonly headers: Headers;
  /** Whether `.br` and `.gz` siblings of this file stand beside it. */
  readonly siblings: 'none' | 'precompressed';
  /** For content whose name is its digest; otherwise made from size and time of change. */
  readonly etag?: string | undefined;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly encoding: Encoding | undefined;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** False when there is no such file; then nothing was sent. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  answer: FileAnswer,
): Promise<boolean> {
  const file = await openBest(request, answer);
  if (!file) return false;
  try {
    await sendOpenFile(request, response, answer, file);
    return true;
  } finally {
    await file.handle.close();
  }
}

async function sendOpenFile(
  request: IncomingMessage,
  response: ServerResponse,
  answer: FileAnswer,
  file: OpenFile,
): Promise<void> {
  for (const [name, value] of Object.entries(headersOf(answer, file))) response.setHeader(name, value);
  if (matches(request.headers['if-none-match'], file.etag)) {
    response.writeHead(304).end();
    return;
  }
  const span = file.encoding ? ({ kind: 'whole' } as const) : requestedSpan(request, file);
  writeHead(response, span, file.sizeBytes);
  if (request.method === 'HEAD' || span.kind === 'unsatisfiable' || file.sizeBytes === 0) {
    response.end();
    return;
  }
  await stream(file.handle, span, response);
}

function headersOf(answer: FileAnswer, file: OpenFile): Headers {
  return {
    'Content-Type': answer.contentType,
    ETag: file.etag,
    ...(answer.siblings === 'precompressed' ? { Vary: 'Accept-Encoding' } : {}),
    ...(file.encoding ? { 'Content-Encoding': file.encoding } : { 'Accept-Ranges': 'bytes' }),
    ...answer.headers,
  };
}

function writeHead(response: ServerResponse, span: ByteSpan, sizeBytes: number): void {
  if (span.kind === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${sizeBytes}`, 'Content-Length': 0 });
  } else if (span.kind === 'part') {
    response.writeHead(206, {
      'Content-Range': `bytes ${span.first}-${span.last}/${sizeBytes}`,
      'Content-Length': span.last - span.first + 1,
    });
  } else {
    response.writeHead(200, { 'Content-Length': sizeBytes });
  }
}

async function stream(handle: FileHandle, span: ByteSpan, response: ServerResponse): Promise<void> {
  const limits = span.kind === 'part' ? { start: span.first, end: span.last } : { start: 0 };
  try {
    await pipeline(handle.createReadStream({ ...limits, autoClose: false }), response);
  } catch (error) {
    // A reader that closes its connection early is no failure of ours.
    if (!response.destroyed) throw error;
  }
}

/** If-Range holds a range back when the file has changed since. */
function requestedSpan(request: IncomingMessage, file: OpenFile): ByteSpan {
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && ifRange !== file.etag) return { kind: 'whole' };
  return parseRange(request.headers.range, file.sizeBytes);
}

/** A range is cut from the plain file: a piece of a compressed one is of no use to anybody. */
async function openBest(request: IncomingMessage, answer: FileAnswer): Promise<OpenFile | undefined> {
  const isPlain = answer.siblings === 'none' || request.headers.range !== undefined;
  for (const encoding of isPlain ? [] : acceptedEncodings(request.headers['accept-encoding'])) {
    const sibling = await openFile(answer.path + suffixes[encoding], encoding, answer.etag);
    if (sibling) return sibling;
  }
  return openFile(answer.path, undefined, answer.etag);
}

async function openFile(
  path: string,
  encoding: Encoding | undefined,
  etag?: string,
): Promise<OpenFile | undefined> {
  // Whatever cannot be opened (missing, a folder in the way, a name too long) is not there for a client.
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return undefined;
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    return undefined;
  }
  const made = `"${stat.size.toString(36)}-${Math.round(stat.mtimeMs * 1000).toString(36)}${encoding ? `-${encoding}` : ''}"`;
  return { handle, encoding, sizeBytes: stat.size, etag: etag ?? made };
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(',')
    .some((text) => text.trim() === '*' || text.trim().replace(/^W\//, '') === etag);
}
