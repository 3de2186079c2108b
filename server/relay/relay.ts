/**
 * Carries the app's requests to registries that refuse browsers. It is no open proxy: only our own page may use it, only
 * registry paths go through, only public hosts are reached, and what comes back can be nothing but bytes.
 */
import { lookup } from 'node:dns/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { RequestPath } from '#server/paths.ts';
import { sendError } from '#server/respond.ts';
import type { ResolveName } from './address.ts';
import { AllowList, authorityOf, type OptIn } from './allow.ts';
import { takeBody, type RelayBody } from './body.ts';
import { requestHeaders, responseHeaders, type OutgoingHeaders } from './headers.ts';
import { locationHeader } from './location.ts';
import { parseRelayPath, relayRoot, type RelayPath } from './path.ts';
import { sendFollowing, type Answer } from './redirect.ts';
import { readAnswer } from './read-answer.ts';
import { Slots } from './slots.ts';
import { Tally } from './tally.ts';
import { Upstream, type RelayTimeouts } from './upstream.ts';

export interface RelayOptions {
  readonly optIns: readonly OptIn[];
  readonly log: (line: string) => void;
  readonly timeouts?: RelayTimeouts | undefined;
  readonly resolveName?: ResolveName | undefined;
  readonly slotsPerClient?: number | undefined;
}

/** What proxies log for an answer that one side broke off. */
const brokenOffStatus = 499;

/** One request on its way through. */
interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: RelayPath;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

export class Relay {
  readonly #allow: AllowList;
  readonly #upstream: Upstream;
  readonly #slots: Slots;
  readonly #log: (line: string) => void;

  constructor(options: RelayOptions) {
    this.#allow = new AllowList(options.optIns);
    this.#upstream = new Upstream({
      resolveName: options.resolveName ?? ((hostname) => lookup(hostname, { all: true })),
      timeouts: options.timeouts ?? { headersMs: 15_000, idleMs: 60_000 },
    });
    this.#slots = new Slots(options.slotsPerClient ?? 8);
    this.#log = options.log;
  }

  async handle(request: IncomingMessage, response: ServerResponse, path: RequestPath): Promise<void> {
    response.setHeader('x-sampan-relay', '1');
    // Instead of the app's policy: what a stranger sends is never a document of ours.
    response.setHeader('Content-Security-Policy', `sandbox; default-src 'none'`);
    if (isProbe(request, path)) {
      response.writeHead(204).end();
      return;
    }
    const tally = new Tally();
    try {
      await this.#carry(request, response, path, tally);
    } catch (thrown) {
      if (response.destroyed) return;
      const error = toApiError(thrown);
      sendError(response, error, error.code === 'rate_limited' ? { 'Retry-After': '1' } : {});
    } finally {
      this.#log(
        tally.line(request.method ?? '-', response.writableEnded ? response.statusCode : brokenOffStatus),
      );
    }
  }

  async #carry(
    request: IncomingMessage,
    response: ServerResponse,
    path: RequestPath,
    tally: Tally,
  ): Promise<void> {
    checkCaller(request);
    const route = parseRelayPath(request.method ?? '', path.path, path.search);
    const release = this.#slots.take(request.socket.remoteAddress ?? '');
    try {
      await this.#forward({ request, response, route, tally, signal: abortOnClose(response) });
    } finally {
      release();
    }
  }

  async #forward(passage: Passage): Promise<void> {
    const { request, route, tally, signal } = passage;
    const { url, access } = this.#allow.admitAuthority(route.authority);
    tally.host = authorityOf(url);
    const target = { url: new URL(route.path + route.search, url), access };
    const body = await takeBody(request, route);
    countBody(body, tally);
    const method = request.method ?? 'GET';
    const headers = requestHeaders(request.headers);
    await answer(
      passage,
      await sendFollowing(this.#upstream, this.#allow, { method, target, headers, body, signal }),
    );
  }
}

/** Only a page of ours sends both: another site's fetch is `cross-site`, and cannot set the header without a preflight. */
function checkCaller(request: IncomingMessage): void {
  const { 'sec-fetch-site': site, 'x-sampan-relay': mark } = request.headers;
  if (site === 'same-origin' && mark === '1') return;
  throw new ApiError(
    'forbidden_origin',
    'The relay serves Sampan’s own pages only. Call the registry directly.',
  );
}

async function answer(
  { request, response, route, tally }: Passage,
  { response: upstream, url }: Answer,
): Promise<void> {
  const status = upstream.statusCode ?? 502;
  try {
    const headers: OutgoingHeaders = {
      ...responseHeaders(upstream),
      ...locationHeader(status, upstream.headers.location, url, route.authority),
    };
    if (request.method === 'GET' && route.resource.kind === 'blob') {
      tally.countDown(upstream);
      response.writeHead(status, headers);
      await pipeline(upstream, response);
      return;
    }
    const bytes = request.method === 'HEAD' ? undefined : await readAnswer(upstream, route.resource);
    tally.addDown(bytes?.length ?? 0);
    response.writeHead(
      status,
      bytes && status !== 204 ? { ...headers, 'content-length': bytes.length } : headers,
    );
    response.end(bytes);
  } finally {
    upstream.destroy();
  }
}

function isProbe(request: IncomingMessage, { path }: RequestPath): boolean {
  return path === relayRoot && (request.method === 'GET' || request.method === 'HEAD');
}

/** Fires when the client is gone before its answer is whole. */
function abortOnClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function countBody(body: RelayBody, tally: Tally): void {
  if (body.kind === 'bytes') tally.addUp(body.bytes.length);
  if (body.kind === 'stream') tally.countUp(body.stream);
}
