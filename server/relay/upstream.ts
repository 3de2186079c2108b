/** One request to a registry, with its time limits. Follows nothing, keeps nothing. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { ApiError } from '#lib/core/errors.ts';
import { publicLookup, type ResolveName } from './address.ts';
import { authorityOf, privateRefusal, type Admitted } from './allow.ts';
import type { RelayBody } from './body.ts';
import type { OutgoingHeaders } from './headers.ts';

export interface RelayTimeouts {
  /** To connect, and for a request without a body also to the head of the answer. */
  readonly headersMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly target: Admitted;
  readonly headers: OutgoingHeaders;
  readonly body: RelayBody;
  readonly signal: AbortSignal;
}

export interface UpstreamOptions {
  readonly resolveName: ResolveName;
  readonly timeouts: RelayTimeouts;
}

export class Upstream {
  readonly #timeouts: RelayTimeouts;
  /** No pooled connections: a push that meets a stale one fails half-way, and a handshake costs nothing beside a blob. */
  readonly #publicAgent: Agent;

  constructor(options: UpstreamOptions) {
    this.#timeouts = options.timeouts;
    const refusal = (hostname: string) => privateRefusal(`${hostname}:443`);
    this.#publicAgent = new Agent({ lookup: publicLookup(options.resolveName, refusal) });
  }

  /** Resolves with the head of the answer. Throws `registry_unreachable`, `forbidden_origin`, `aborted`. */
  send(request: UpstreamRequest): Promise<IncomingMessage> {
    const host = authorityOf(request.target.url);
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request);
      this.#watch(outgoing, host, request.body);
      outgoing.once('response', (response) => {
        response.once('close', () => outgoing.destroy());
        resolve(response);
      });
      // Also takes the errors that come after the answer, of a registry that stops reading a body: nobody waits for those.
      outgoing.on('error', (error) => reject(toUpstreamError(error, host)));
      sendBody(outgoing, request.body);
    });
  }

  #open({ method, target, headers, body, signal }: UpstreamRequest): ClientRequest {
    // Told to close, a registry that refuses an upload early resets the connection, and its answer is lost on the way.
    const connection = { connection: 'keep-alive' };
    const options = {
      method,
      headers: { ...headers, ...connection, ...lengthHeaders(method, body) },
      signal,
    };
    if (target.access === 'public') return httpsRequest(target.url, { ...options, agent: this.#publicAgent });
    const request = target.url.protocol === 'https:' ? httpsRequest : httpRequest;
    return request(target.url, { ...options, agent: false });
  }

  /** A registry may think long over a finished upload; there only the idle limit counts once the connection stands. */
  #watch(outgoing: ClientRequest, host: string, body: RelayBody): void {
    const { headersMs, idleMs } = this.#timeouts;
    const timer = setTimeout(() => outgoing.destroy(timedOut(host)), headersMs);
    const disarm = () => clearTimeout(timer);
    outgoing.setTimeout(idleMs, () => outgoing.destroy(timedOut(host)));
    outgoing.once('response', disarm).once('close', disarm);
    if (body.kind === 'none') return;
    outgoing.once('socket', (socket) => socket.once(socketReady(outgoing), disarm));
  }
}

function socketReady(outgoing: ClientRequest): string {
  return outgoing.protocol === 'https:' ? 'secureConnect' : 'connect';
}

/** `pipe` holds the client back while the registry is slow, and leaves the client's stream alive when the registry fails. */
function sendBody(outgoing: ClientRequest, body: RelayBody): void {
  if (body.kind === 'none') outgoing.end();
  else if (body.kind === 'bytes') outgoing.end(body.bytes);
  else {
    const { stream } = body;
    stream.pipe(outgoing);
    outgoing.once('close', () => {
      stream.unpipe(outgoing);
      stream.resume();
    });
  }
}

function lengthHeaders(method: string, body: RelayBody): OutgoingHeaders {
  if (body.kind === 'none') return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
  if (body.kind === 'bytes') return { 'content-length': String(body.bytes.length) };
  return body.lengthBytes === undefined ? {} : { 'content-length': String(body.lengthBytes) };
}

function timedOut(host: string): ApiError {
  return new ApiError(
    'registry_unreachable',
    `${host} did not answer in time. Check your connection, then try again.`,
  );
}

function toUpstreamError(error: NodeJS.ErrnoException, host: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error.name === 'AbortError')
    return new ApiError('aborted', 'The request was cancelled.', { cause: error });
  const reason = error.code ?? 'no connection';
  return new ApiError(
    'registry_unreachable',
    `${host} could not be reached (${reason}). Check its name and your connection, then try again.`,
    { cause: error },
  );
}
