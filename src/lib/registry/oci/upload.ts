/** One upload session at a registry (distribution specification, “Pushing blobs”). */
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { discard, unreachable } from '#lib/registry/http.ts';
import type { ChunkLimits } from './chunk-size.ts';
import { withParameter } from './location.ts';
import { registryName, type Asked } from './status.ts';
import type { Transport, TransportRequest } from './transport.ts';

export interface UploadContext {
  readonly transport: Transport;
  readonly asked: Asked;
  readonly signal: AbortSignal;
}

/** A blob that another repository of the registry may have. */
export interface Mount {
  readonly digest: Digest;
  readonly repository: string;
}

/** `taken`: the offset moved. `refused`: it takes files whole only. `too-large`: smaller chunks may do. */
type Append = 'taken' | 'refused' | 'too-large';

const octets = { 'content-type': 'application/octet-stream' };
const taken = [200, 201, 202, 204];
/** The session is over, or the registry is at another offset: the status request tells. */
const gone = [404, 410, 416];
/** Answers of registries that know no chunks (GCR among them), or of a server before them. */
const chunkless = [400, 405, 411, 413, 415, 501];

/** Slower lines than this lose a request to its deadline. */
const minBytesPerSecond = 16 * 1024;
const graceMs = 30_000;
/** A registry reads a whole file again, or copies it to its storage, before it answers. */
const finishMs = 10 * 60_000;

/** A new session, or `mounted` when the registry had the blob elsewhere. */
export async function openUpload(context: UploadContext, mount?: Mount): Promise<UploadSession | 'mounted'> {
  const request: TransportRequest = {
    ...context.asked,
    method: 'POST',
    path: mount ? mountPath(mount) : 'blobs/uploads/',
    alsoPulls: mount?.repository,
    accepts: mount ? [201, 202] : [202],
    signal: context.signal,
  };
  const opened = await context.transport.send(request, async (response) => {
    await discard(response);
    if (response.status === 201) return 'mounted';
    const path = await context.transport.uploadPath(request, response);
    return path === undefined ? undefined : new UploadSession(path, context, chunkLimits(response.headers));
  });
  // The registry hid the session's place from the browser; the relay, asked from now on, sees it.
  return opened ?? openUpload(context, mount);
}

export class UploadSession {
  readonly limits: ChunkLimits;
  readonly #context: UploadContext;
  #path: string;
  #offsetBytes = 0;

  constructor(path: string, context: UploadContext, limits: ChunkLimits) {
    this.#path = path;
    this.#context = context;
    this.limits = limits;
  }

  /** What the registry has; the next chunk starts here. */
  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  /** Sends the bytes from the offset on. Throws `registry_unreachable` when `resume` has to find out where it stands. */
  async append(chunk: Blob): Promise<Append> {
    const from = this.#offsetBytes;
    const to = from + chunk.size;
    const request = this.#request({
      method: 'PATCH',
      path: this.#path,
      body: chunk,
      headers: { ...octets, 'content-range': `${from}-${to - 1}` },
      accepts: [...taken, ...gone, ...chunkless],
      deadlineMs: graceMs + durationMs(chunk.size),
    });
    const { status, end } = await this.#send(request);
    if (taken.includes(status)) return this.#acknowledge(end ?? to, to);
    if (status === 413) return 'too-large';
    if (chunkless.includes(status) && from === 0) return 'refused';
    throw this.#lost();
  }

  /** Closes the session over what was appended, or over `whole`. */
  async finish(digest: Digest, whole?: Blob): Promise<void> {
    const request = this.#request({
      method: 'PUT',
      path: withParameter(this.#path, 'digest', digest),
      body: whole,
      headers: octets,
      accepts: [...taken, ...gone],
      deadlineMs: finishMs + durationMs(whole?.size ?? 0),
    });
    const { status, digest: claimed } = await this.#send(request);
    if (gone.includes(status)) throw this.#lost();
    if (claimed !== null && isDigest(claimed) && claimed !== digest) throw otherDigest(this.#server);
  }

  /** Asks where the session stands, after something went wrong. */
  async resume(sizeBytes: number): Promise<'alive' | 'gone'> {
    const request = this.#request({ path: this.#path, accepts: [...taken, ...gone, 400] });
    const { status, end } = await this.#send(request);
    // An end that is out of reach means that the registry counts something else.
    if (!taken.includes(status) || end === undefined || end > sizeBytes) return 'gone';
    this.#offsetBytes = end;
    return 'alive';
  }

  /** Tells the registry that nothing more will come; at its own pace, and never rejects. */
  async cancel(): Promise<void> {
    const request = this.#request({ method: 'DELETE', path: this.#path, accepts: [...taken, ...gone] });
    try {
      // Without the push's signal, which has often fired by now.
      await this.#context.transport.send({ ...request, signal: undefined }, discard);
    } catch {
      // Registries throw old sessions away by themselves.
    }
  }

  async #send(
    request: TransportRequest,
  ): Promise<{ status: number; end: number | undefined; digest: string | null }> {
    return this.#context.transport.send(request, async (response) => {
      await discard(response);
      const { status, headers } = response;
      if (request.method !== 'PUT' && taken.includes(status) && headers.has('location'))
        this.#path = (await this.#context.transport.uploadPath(request, response)) ?? this.#path;
      return { status, end: rangeEnd(headers.get('range')), digest: headers.get('docker-content-digest') };
    });
  }

  /** Some registries take any chunk for the next one, so what they count is compared (registries.md section 2). */
  #acknowledge(end: number, to: number): 'taken' {
    if (end !== to) throw this.#lost();
    this.#offsetBytes = end;
    return 'taken';
  }

  #request(request: Omit<TransportRequest, keyof Asked>): TransportRequest {
    return { ...this.#context.asked, signal: this.#context.signal, ...request };
  }

  get #server(): string {
    return registryName(this.#context.asked.reference.registry);
  }

  #lost(): ApiError {
    return unreachable(`${this.#server} lost track of the upload. Push the model again.`);
  }
}

function chunkLimits(headers: Headers): ChunkLimits {
  const minBytes = Number(headers.get('oci-chunk-min-length') ?? 0);
  return {
    minBytes: Number.isSafeInteger(minBytes) ? minBytes : 0,
    carrier: headers.has('x-sampan-relay') ? 'relay' : 'direct',
  };
}

function mountPath({ digest, repository }: Mount): string {
  return `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(repository)}`;
}

/** `0-9` and `bytes=0-9` are 10 bytes. An empty session says `0-0`, which a single byte would say too. */
function rangeEnd(header: string | null): number | undefined {
  const last = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(header?.trim() ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

function durationMs(sizeBytes: number): number {
  return (sizeBytes / minBytesPerSecond) * 1000;
}

function otherDigest(server: string): ApiError {
  return new ApiError(
    'digest_mismatch',
    `${server} stored something else than what was sent. Push the model again, or ask who runs it.`,
  );
}
