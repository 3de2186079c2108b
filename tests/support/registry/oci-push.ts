/** A registry on the loopback that takes pushes, keeps them in memory, and fails in the ways it is told to. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson, startServer, type LoggedRequest, type TestServer } from './http-server.ts';

/** Happens once, to the next request that it is meant for. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly code?: string;
    }
  /** Breaks the connection off after so many bytes of the body; none of them are kept. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Does what was asked and breaks the connection off instead of answering. */
  | { readonly kind: 'cut-answer' }
  /** Headers instead of the true ones; an empty text leaves one out. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' };

export interface PushServerOptions {
  /** `dies`: a session whose chunk was cut is gone, as in `distribution` 2.8 (registries.md section 2). */
  readonly afterCut?: 'survives' | 'dies';
  /** `relative` without host, `hidden` from browsers as by a CORS configuration without exposed headers. */
  readonly location?: 'absolute' | 'relative';
  readonly minChunkBytes?: number;
  /** Answers preflights, and shows these headers to pages. */
  readonly exposes?: string;
}

export interface PushServer extends TestServer {
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: ReadonlyMap<string, { readonly bytes: Buffer; readonly mediaType: string | undefined }>;
  /** Sessions that are open. */
  readonly sessions: ReadonlyMap<string, Buffer>;
  /** Meets the next request with `method` whose path matches, after faults that were added before for the same. */
  fail(method: string, path: RegExp, ...faults: readonly Fault[]): void;
  /** As a `METHOD /path` line each, without queries, preflights and the probe. */
  readonly lines: readonly string[];
  /** As if it lay in another repository already: only a mount finds it. */
  offer(repository: string, bytes: Buffer): void;
  /** Loses all open sessions. */
  forgetSessions(): void;
}

export async function startPushServer(options: PushServerOptions = {}): Promise<PushServer> {
  const faults: { method: string; path: RegExp; fault: Fault }[] = [];
  const store = new PushStore(options);
  const server = await startServer(async (request, response, url) => {
    if (answersCors(options, request, response)) return;
    const index = faults.findIndex(
      ({ method, path }) => method === request.method && path.test(url.pathname),
    );
    const [found] = index === -1 ? [] : faults.splice(index, 1);
    await store.serve(request, response, { url, fault: found?.fault });
  });
  return {
    ...server,
    blobs: store.blobs,
    manifests: store.manifests,
    sessions: store.sessions,
    get lines() {
      return server.requests
        .filter(isWork)
        .map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    },
    fail: (method, path, ...all) => all.forEach((fault) => faults.push({ method, path, fault })),
    offer: (repository, bytes) => void store.offered.set(`${repository}@${digestOf(bytes)}`, bytes),
    forgetSessions: () => store.sessions.clear(),
  };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

interface Visit {
  readonly url: URL;
  readonly fault: Fault | undefined;
}

/** What a request was answered with, before a fault changes it. */
interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code?: string;
}

class PushStore {
  readonly blobs = new Map<string, Buffer>();
  readonly offered = new Map<string, Buffer>();
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string | undefined }>();
  readonly sessions = new Map<string, Buffer>();
  readonly #options: PushServerOptions;
  #count = 0;

  constructor(options: PushServerOptions) {
    this.#options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse, { url, fault }: Visit): Promise<void> {
    const session = /\/blobs\/uploads\/([^/]+)$/.exec(url.pathname)?.[1];
    if (fault?.kind === 'hang') {
      request.resume();
      return;
    }
    if (fault?.kind === 'cut') {
      await readBody(request, fault.afterBytes);
      if (session !== undefined && this.#options.afterCut === 'dies') this.sessions.delete(session);
      response.destroy();
      return;
    }
    const body = await readBody(request);
    if (fault?.kind === 'answer') {
      send(response, fault);
      return;
    }
    const answer = this.#answer(request, url, { session, body });
    if (fault?.kind === 'cut-answer') response.destroy();
    else send(response, fault ? { ...answer, headers: { ...answer.headers, ...fault.headers } } : answer);
  }

  #answer(
    request: IncomingMessage,
    url: URL,
    { session, body }: { session: string | undefined; body: Buffer },
  ): Answer {
    const [, repository = '', kind, name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === undefined) return { status: 200 };
    if (kind === 'manifests') return this.#manifest(request, `${repository}:${name}`, body);
    if (name === 'uploads/') return this.#start(request, url, repository);
    if (session !== undefined) return this.#upload(request, url, { repository, session, body });
    return this.blobs.has(name) ? { status: 200 } : { status: 404, code: 'BLOB_UNKNOWN' };
  }

  #start(request: IncomingMessage, url: URL, repository: string): Answer {
    const mounted = this.offered.get(`${url.searchParams.get('from')}@${url.searchParams.get('mount')}`);
    if (mounted) {
      this.blobs.set(digestOf(mounted), mounted);
      return { status: 201, headers: { location: `/v2/${repository}/blobs/${digestOf(mounted)}` } };
    }
    const session = `session-${++this.#count}`;
    this.sessions.set(session, Buffer.alloc(0));
    const { minChunkBytes } = this.#options;
    return {
      status: 202,
      headers: {
        ...this.#place(request, repository, session),
        range: '0-0',
        ...(minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(minChunkBytes) }),
      },
    };
  }

  #upload(
    request: IncomingMessage,
    url: URL,
    { repository, session, body }: { repository: string; session: string; body: Buffer },
  ): Answer {
    const held = this.sessions.get(session);
    if (!held) return { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' };
    if (request.method === 'DELETE') {
      this.sessions.delete(session);
      return { status: 204 };
    }
    const whole = Buffer.concat([held, body]);
    if (request.method === 'PUT') return this.#close(session, url.searchParams.get('digest') ?? '', whole);
    if (request.method === 'PATCH') this.sessions.set(session, whole);
    const { length } = request.method === 'PATCH' ? whole : held;
    return {
      status: request.method === 'PATCH' ? 202 : 204,
      headers: { ...this.#place(request, repository, session), range: `0-${Math.max(0, length - 1)}` },
    };
  }

  #close(session: string, digest: string, whole: Buffer): Answer {
    if (digestOf(whole) !== digest) return { status: 400, code: 'DIGEST_INVALID' };
    this.sessions.delete(session);
    this.blobs.set(digest, whole);
    return { status: 201, headers: { 'docker-content-digest': digest } };
  }

  #manifest(request: IncomingMessage, name: string, bytes: Buffer): Answer {
    if (request.method !== 'PUT') return { status: 404, code: 'MANIFEST_UNKNOWN' };
    this.manifests.set(name, { bytes, mediaType: request.headers['content-type'] });
    return { status: 201, headers: { 'docker-content-digest': digestOf(bytes) } };
  }

  /** A new place after every chunk, which the next one must go to. */
  #place(request: IncomingMessage, repository: string, session: string): { location: string } {
    const path = `/v2/${repository}/blobs/uploads/${session}?_state=a%2Bb${++this.#count}`;
    return {
      location: this.#options.location === 'relative' ? path : `http://${request.headers.host}${path}`,
    };
  }
}

function send(response: ServerResponse, { status, headers = {}, code }: Answer): void {
  for (const [name, value] of Object.entries(headers)) if (value !== '') response.setHeader(name, value);
  if (code === undefined) response.writeHead(status).end();
  else sendJson(response, status, { errors: [{ code, message: 'no' }] });
}

/** True when the request was a preflight and is answered. */
function answersCors(
  { exposes }: PushServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (exposes !== undefined) {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    response.setHeader('access-control-expose-headers', exposes);
  }
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE');
  response.setHeader(
    'access-control-allow-headers',
    'Authorization, Content-Type, Accept, Range, Content-Range',
  );
  response.writeHead(exposes === undefined ? 405 : 204).end();
  return true;
}

/** At most `limitBytes`: then the rest stays unread. */
async function readBody(request: IncomingMessage, limitBytes = Infinity): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length >= limitBytes) break;
  }
  return Buffer.concat(pieces);
}

function isWork({ method, path }: LoggedRequest): boolean {
  return method !== 'OPTIONS' && path !== '/v2/';
}
