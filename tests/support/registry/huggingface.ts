/** A Hugging Face look-alike on the loopback: Hub API, downloads by redirect to a second server, CORS as observed. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseRange, sendJson, startServer, type TestServer } from './http-server.ts';

export interface HubRepository {
  /** By path; a text or the bytes. `.gguf`, `.safetensors`, `.bin` and `.wasm` files are kept as LFS, with a sha256. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly lastModified?: string;
  /** Readable with the token only: as if it did not exist without. */
  readonly access?: 'public' | 'gated' | 'private';
}

export interface HuggingFaceOptions {
  /** By name as on the Hub: `Org/Repo-GGUF`; names are found in any case. */
  readonly repositories: Readonly<Record<string, HubRepository>>;
  readonly token?: string;
  /** Entries in one page of a tree. */
  readonly pageSize?: number;
  /** The page after every page, instead of the true one. */
  readonly nextPage?: string;
}

export interface HuggingFaceTestServer extends TestServer {
  readonly cdn: TestServer;
  /** Answers every request whose path matches with a status instead. */
  fail(path: RegExp, status: number, headers?: Record<string, string>): void;
  /** The CDN ignores ranges, or refuses them. */
  ranges(mode: 'honest' | 'ignored' | 'refused'): void;
}

const commit = 'c0ffee'.padEnd(40, '0');
const exposed =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';

export async function startHuggingFace(options: HuggingFaceOptions): Promise<HuggingFaceTestServer> {
  const blobs = new Map<string, Buffer>();
  let mode: 'honest' | 'ignored' | 'refused' = 'honest';
  let failure: { path: RegExp; status: number; headers: Record<string, string> } | undefined;
  const cdn = await startServer((request, response, url) => {
    const bytes = blobs.get(url.pathname.slice(1));
    // The signed address is all the CDN wants: storage services refuse a forwarded Authorization.
    if (request.method !== 'GET' || !bytes || request.headers.authorization)
      return void response.writeHead(403).end();
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', '*');
    const range = mode === 'ignored' ? undefined : parseRange(request.headers.range, bytes.byteLength);
    if (range && (mode === 'refused' || range.from >= bytes.byteLength))
      return void response.writeHead(416).end();
    sendBytes(response, bytes, range);
  });
  const hub = await startServer((request, response, url) => {
    cors(request, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (failure?.path.test(url.pathname))
      return void response.writeHead(failure.status, failure.headers).end();
    answer(options, blobs, cdn.url, request, response, url);
  });
  return {
    ...hub,
    cdn,
    fail: (path, status, headers = {}) => void (failure = { path, status, headers }),
    ranges: (next) => void (mode = next),
    close: async () => {
      await hub.close();
      await cdn.close();
    },
  };
}

function answer(
  options: HuggingFaceOptions,
  blobs: Map<string, Buffer>,
  cdnUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): void {
  const path = decodeURIComponent(url.pathname);
  const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(path);
  const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
  const name = (api?.[1] ?? file?.[1] ?? '').toLowerCase();
  const found = Object.entries(options.repositories).find(([key]) => key.toLowerCase() === name);
  const isSignedIn =
    options.token !== undefined && request.headers.authorization === `Bearer ${options.token}`;
  if (!found || (found[1].access === 'private' && !isSignedIn))
    return sendJson(response, 401, { error: 'Invalid username or password.' });
  const [, repository] = found;
  if (api?.[2] === 'revision') return sendRevision(repository, response);
  if (api) return sendTree(repository, options, request, response, url);
  if (repository.access === 'gated' && !isSignedIn) return sendCode(response, 401, 'GatedRepo');
  const content = repository.files[file?.[3] ?? ''];
  if (content === undefined) return sendCode(response, 404, 'EntryNotFound');
  if (file?.[2] !== commit) return sendCode(response, 404, 'RevisionNotFound');
  const bytes = Buffer.from(content);
  if (!isLfs(file[3] ?? ''))
    return sendBytes(response, bytes, parseRange(request.headers.range, bytes.byteLength));
  const key = createHash('md5').update(bytes).digest('hex');
  blobs.set(key, bytes);
  response
    .writeHead(302, { location: `${cdnUrl}/${key}?signature=secret`, 'x-linked-size': bytes.byteLength })
    .end();
}

function sendRevision(repository: HubRepository, response: ServerResponse): void {
  sendJson(response, 200, {
    sha: commit,
    lastModified: repository.lastModified ?? '2025-01-01T00:00:00.000Z',
    gated: repository.access === 'gated' ? 'auto' : false,
  });
}

function sendTree(
  repository: HubRepository,
  { pageSize = 1000, nextPage }: HuggingFaceOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): void {
  const entries = Object.entries(repository.files).map(([path, content]) =>
    treeEntry(path, Buffer.from(content)),
  );
  const all = [...folders(Object.keys(repository.files)), ...entries];
  const start = Number(url.searchParams.get('cursor') ?? 0);
  if (nextPage !== undefined) response.setHeader('link', `<${nextPage}>; rel="next"`);
  else if (start + pageSize < all.length) {
    const next = new URL(url.pathname + url.search, `http://${request.headers.host}`);
    next.searchParams.set('cursor', String(start + pageSize));
    response.setHeader('link', `<${next.href}>; rel="next"`);
  }
  sendJson(response, 200, all.slice(start, start + pageSize));
}

function folders(paths: readonly string[]): unknown[] {
  const names = new Set(
    paths.filter((path) => path.includes('/')).map((path) => path.slice(0, path.lastIndexOf('/'))),
  );
  return [...names].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path }));
}

function treeEntry(path: string, bytes: Buffer): unknown {
  const entry = { type: 'file', oid: gitHash(bytes), size: bytes.byteLength, path };
  if (!isLfs(path)) return entry;
  const oid = createHash('sha256').update(bytes).digest('hex');
  return { ...entry, lfs: { oid, size: bytes.byteLength, pointerSize: 135 }, xetHash: 'f'.repeat(64) };
}

function gitHash(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}

function isLfs(path: string): boolean {
  return /\.(gguf|safetensors|bin|wasm)$/.test(path);
}

function cors(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', request.headers.origin ?? 'https://huggingface.co');
  response.setHeader('access-control-expose-headers', exposed);
  response.setHeader('access-control-max-age', '86400');
  response.setHeader('access-control-allow-headers', 'Authorization, Range');
  response.setHeader('vary', 'Origin');
}

function sendCode(response: ServerResponse, status: number, code: string): void {
  response.setHeader('x-error-code', code);
  sendJson(response, status, { error: code });
}

function sendBytes(response: ServerResponse, bytes: Buffer, range?: { from: number; to: number }): void {
  const { from, to } = range ?? { from: 0, to: bytes.byteLength };
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', to - from);
  if (range) response.setHeader('content-range', `bytes ${from}-${to - 1}/${bytes.byteLength}`);
  response.writeHead(range ? 206 : 200).end(bytes.subarray(from, to));
}
