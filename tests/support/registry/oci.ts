/** A registry on the loopback (distribution specification, pull side) that can be as hostile as a test needs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256, type Digest } from '#lib/core/digest.ts';
import type { BuiltArtifact } from './artifact.ts';
import { parseRange, sendJson, startServer, type TestServer } from './http-server.ts';
import { challenge, TestTokens, type OciAuth } from './oci-auth.ts';

export interface OciBehaviour {
  /** `half` answers browsers for manifests only, like zot; `no-preflight` refuses OPTIONS, like `distribution` with auth. */
  cors: 'open' | 'closed' | 'half' | 'no-preflight';
  auth: OciAuth;
  /** `unmarked` is a 206 without Content-Range, `shifted` one that starts elsewhere. */
  ranges: 'honest' | 'ignored' | 'refused' | 'shifted' | 'unmarked';
  manifests: 'honest' | 'oversize' | 'truncated' | 'tampered';
  configs: 'honest' | 'tampered' | 'oversize';
  /** `Docker-Content-Digest`; `honest` is the true one. */
  digestHeader: 'honest' | 'absent' | (string & {});
  /** Cuts the connection after so many bytes of a layer. */
  dropBlobAtBytes: number | undefined;
  /** Pause between pieces of 64 KiB of a layer. */
  blobPauseMs: number;
  /** Answers paths that match with a status instead. */
  failure:
    { readonly path: RegExp; readonly status: number; readonly headers?: Record<string, string> } | undefined;
  /** Takes requests for paths that match and never answers. */
  silent: RegExp | undefined;
}

export interface OciTestRegistry extends TestServer {
  /** Changes what it does from now on. */
  behave(change: Partial<OciBehaviour>): void;
  /** Makes every token that was given out worthless. */
  revokeTokens(): void;
  push(repository: string, tag: string, artifact: BuiltArtifact): void;
  /** Of the token server. */
  readonly tokenRequests: TestServer['requests'];
}

interface Manifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const pieceBytes = 64 * 1024;
const exposed =
  'Docker-Content-Digest, Content-Range, Content-Length, Accept-Ranges, WWW-Authenticate, Link, Location, Retry-After';

export async function startOciRegistry(initial: Partial<OciBehaviour> = {}): Promise<OciTestRegistry> {
  const behaviour: OciBehaviour = {
    cors: 'open',
    auth: { kind: 'none' },
    ranges: 'honest',
    manifests: 'honest',
    configs: 'honest',
    digestHeader: 'honest',
    dropBlobAtBytes: undefined,
    blobPauseMs: 0,
    failure: undefined,
    silent: undefined,
    ...initial,
  };
  const store = new Store();
  const tokens = new TestTokens();
  const tokenServer = await startServer((request, response, url) =>
    tokens.serve(behaviour.auth, request, response, url),
  );
  const server = await startServer(async (request, response, url) => {
    if (behaviour.silent?.test(url.pathname)) return;
    if (answerCors(behaviour, request, response, url)) return;
    if (behaviour.failure?.path.test(url.pathname)) {
      response.writeHead(behaviour.failure.status, behaviour.failure.headers).end();
      return;
    }
    if (!tokens.admits(behaviour.auth, request))
      return challenge(behaviour.auth, tokenServer.url, response, url);
    await store.serve(behaviour, request, response, url);
  });
  return {
    ...server,
    tokenRequests: tokenServer.requests,
    behave: (change) => void Object.assign(behaviour, change),
    revokeTokens: () => tokens.revoke(),
    push: (repository, tag, artifact) => store.push(repository, tag, artifact),
    close: async () => {
      await server.close();
      await tokenServer.close();
    },
  };
}

/** True when the request was a preflight and is answered. */
function answerCors(
  behaviour: OciBehaviour,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): boolean {
  const { cors } = behaviour;
  const isOpen =
    cors === 'open' || cors === 'no-preflight' || (cors === 'half' && !url.pathname.includes('/blobs/'));
  if (isOpen) {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    response.setHeader('access-control-expose-headers', exposed);
  }
  if (request.method !== 'OPTIONS') return false;
  if (!isOpen || cors === 'no-preflight') {
    response.writeHead(401).end();
    return true;
  }
  response.setHeader('access-control-allow-methods', 'GET, HEAD, OPTIONS');
  response.setHeader('access-control-allow-headers', 'Authorization, Accept, Range');
  response.writeHead(200).end();
  return true;
}

class Store {
  readonly #manifests = new Map<string, Manifest>();
  readonly #blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #configs = new Set<Digest>();

  push(repository: string, tag: string, artifact: BuiltArtifact): void {
    const manifest = { mediaType: artifact.mediaType, bytes: artifact.manifestBytes };
    this.#manifests.set(`${repository}:${tag}`, manifest);
    this.#manifests.set(`${repository}:${artifact.id}`, manifest);
    for (const [digest, bytes] of artifact.blobs) {
      this.#blobs.set(digest, bytes);
      if (bytes === artifact.configBytes) this.#configs.add(digest);
    }
  }

  async serve(
    behaviour: OciBehaviour,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<void> {
    if (url.pathname === '/v2/') {
      sendJson(response, 200, {});
      return;
    }
    const [, repository = '', kind, name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    const manifest = this.#manifests.get(`${repository}:${name}`);
    if (kind === 'manifests' && manifest) return sendManifest(behaviour, manifest, request, response);
    const blob = this.#blobs.get(name);
    if (kind !== 'blobs' || !blob) {
      sendJson(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
      return;
    }
    const isConfig = [...this.#configs].some((digest) => digest === name);
    return isConfig ? sendConfig(behaviour, blob, response) : sendLayer(behaviour, blob, request, response);
  }
}

async function sendManifest(
  behaviour: OciBehaviour,
  { mediaType, bytes }: Manifest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!request.headers.accept?.includes(mediaType)) {
    sendJson(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    return;
  }
  const { digestHeader, manifests } = behaviour;
  if (digestHeader !== 'absent') {
    response.setHeader(
      'docker-content-digest',
      digestHeader === 'honest' ? await sha256(bytes) : digestHeader,
    );
  }
  response.writeHead(200, { 'content-type': mediaType });
  if (manifests === 'oversize') return pour(response, new Uint8Array(64 * 1024 * 1024));
  if (manifests === 'tampered') return void response.end(`${Buffer.from(bytes).toString()} `);
  if (manifests === 'truncated') return void response.end(bytes.subarray(0, bytes.byteLength / 2));
  response.end(bytes);
}

function sendConfig(
  { configs }: OciBehaviour,
  bytes: Uint8Array<ArrayBuffer>,
  response: ServerResponse,
): Promise<void> | void {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  if (configs === 'oversize') return pour(response, new Uint8Array(64 * 1024 * 1024));
  response.end(configs === 'tampered' ? `${Buffer.from(bytes).toString()} ` : bytes);
}

async function sendLayer(
  behaviour: OciBehaviour,
  blob: Uint8Array<ArrayBuffer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { ranges, dropBlobAtBytes, blobPauseMs } = behaviour;
  const asked = ranges === 'ignored' ? undefined : parseRange(request.headers.range, blob.byteLength);
  if (asked && (ranges === 'refused' || asked.from >= blob.byteLength))
    return void response.writeHead(416).end();
  const { from, to } = asked ?? { from: 0, to: blob.byteLength };
  const start = ranges === 'shifted' ? from + 1 : from;
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', to - from);
  if (asked && ranges !== 'unmarked')
    response.setHeader('content-range', `bytes ${start}-${to - 1}/${blob.byteLength}`);
  response.writeHead(asked ? 206 : 200);
  await pour(response, blob.subarray(from, to), { dropAtBytes: dropBlobAtBytes, pauseMs: blobPauseMs });
}

/** In pieces, waiting for the client, so that one that leaves early is noticed. */
async function pour(
  response: ServerResponse,
  bytes: Uint8Array,
  { dropAtBytes = Infinity, pauseMs = 0 }: { dropAtBytes?: number | undefined; pauseMs?: number } = {},
): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !response.destroyed; at += pieceBytes) {
    const piece = bytes.subarray(at, Math.min(at + pieceBytes, dropAtBytes));
    const isLast = at + pieceBytes >= dropAtBytes;
    response.write(piece, () => isLast && response.destroy());
    if (isLast) return;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    // Asked now and not at the write: it may have drained during the pause.
    if (response.writableNeedDrain) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.once('drain', settle).once('close', settle);
  });
}
