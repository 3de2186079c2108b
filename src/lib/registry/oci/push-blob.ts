/** Brings one blob to a registry: not at all when it is there, by a mount, in one piece, or in chunks that can resume. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Descriptor } from '#lib/model/manifest.ts';
import { discard } from '#lib/registry/http.ts';
import { ChunkSize, takesChunks } from './chunk-size.ts';
import { retrying } from './retry.ts';
import { openUpload, type UploadContext, type UploadSession } from './upload.ts';

export interface BlobContext extends UploadContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly mountFrom: readonly string[];
  readonly onProgress: (sentBytes: number) => void;
}

/** In one piece a small blob costs two requests instead of three. */
const smallBytes = 8 * 2 ** 20;

/** Throws `unauthorized`, `registry_unreachable`, `rate_limited`, `digest_mismatch` and what else a refusal means. */
export async function pushBlob(
  descriptor: Descriptor,
  open: () => Promise<Blob>,
  context: BlobContext,
): Promise<void> {
  const push = new BlobPush(descriptor, open, context);
  try {
    await retrying(
      () => push.attempt(),
      () => push.furthestBytes,
      context,
    );
  } finally {
    push.close();
  }
}

class BlobPush {
  readonly #descriptor: Descriptor;
  readonly #open: () => Promise<Blob>;
  readonly #context: BlobContext;
  #manner: 'chunks' | 'whole';
  #session: UploadSession | undefined;
  #mountsTried = 0;
  #furthestBytes = 0;

  constructor(descriptor: Descriptor, open: () => Promise<Blob>, context: BlobContext) {
    this.#descriptor = descriptor;
    this.#open = open;
    this.#context = context;
    this.#manner = descriptor.size > smallBytes ? 'chunks' : 'whole';
  }

  /** Of any session so far. */
  get furthestBytes(): number {
    return this.#furthestBytes;
  }

  async attempt(): Promise<void> {
    await this.#resume();
    const isThere = (await this.#isThere()) || (await this.#startSession()) === 'mounted';
    if (!isThere && (await this.#send()) === 'refused') {
      this.#manner = 'whole';
      return this.attempt();
    }
    this.#report(this.#descriptor.size);
  }

  /** Leaves no open session behind. */
  close(): void {
    void this.#session?.cancel();
    this.#session = undefined;
  }

  /** A file that goes in one piece cannot go on in the middle. */
  async #resume(): Promise<void> {
    if (!this.#session) return;
    if (this.#manner === 'whole') this.close();
    else if ((await this.#session.resume(this.#descriptor.size)) === 'gone') this.#session = undefined;
    else if (this.#session.offsetBytes > this.#furthestBytes) this.#report(this.#session.offsetBytes);
  }

  /** A refusal says nothing about the upload: some registries answer GET only, or writers only. */
  #isThere(): Promise<boolean> {
    const { transport, asked, signal } = this.#context;
    return transport.send(
      {
        ...asked,
        method: 'HEAD',
        path: `blobs/${this.#descriptor.digest}`,
        accepts: [200, 400, 403, 404, 405],
        signal,
      },
      async (response) => {
        await discard(response);
        return response.status === 200;
      },
    );
  }

  async #startSession(): Promise<'open' | 'mounted'> {
    const opened = this.#session ?? (await this.#mount()) ?? (await openUpload(this.#context));
    if (opened === 'mounted') return 'mounted';
    this.#session = opened;
    return 'open';
  }

  /** A mount that finds nothing opens a session, which serves when no other place is left to look. */
  async #mount(): Promise<UploadSession | 'mounted' | undefined> {
    let opened: UploadSession | undefined;
    for (const repository of this.#context.mountFrom.slice(this.#mountsTried)) {
      void opened?.cancel();
      const outcome = await this.#tryMount(repository);
      this.#mountsTried++;
      if (outcome === 'mounted') return 'mounted';
      opened = outcome;
    }
    return opened;
  }

  async #tryMount(repository: string): Promise<UploadSession | 'mounted' | undefined> {
    try {
      return await openUpload(this.#context, { digest: this.#descriptor.digest, repository });
    } catch (thrown) {
      const isRefusal = thrown instanceof ApiError && !thrown.retryable;
      // Whoever may not read there may still write here.
      if (isRefusal && thrown.code !== 'forbidden_origin') return undefined;
      throw thrown;
    }
  }

  async #send(): Promise<'done' | 'refused'> {
    const session = this.#session;
    if (!session) throw new Error('a session is started before anything is sent');
    const bytes = await this.#read();
    if (!takesChunks(session.limits)) this.#manner = 'whole';
    if (this.#manner === 'whole') await session.finish(this.#descriptor.digest, bytes);
    else if ((await this.#sendChunks(session, bytes)) === 'refused') return 'refused';
    else await session.finish(this.#descriptor.digest);
    this.#session = undefined;
    return 'done';
  }

  async #sendChunks(session: UploadSession, bytes: Blob): Promise<'done' | 'refused'> {
    const { clock } = this.#context;
    const chunkSize = new ChunkSize(session.limits);
    while (session.offsetBytes < bytes.size) {
      const startedMs = clock.now();
      const from = session.offsetBytes;
      const outcome = await session.append(bytes.slice(from, from + chunkSize.bytes));
      if (outcome === 'refused') return 'refused';
      if (outcome === 'taken') {
        chunkSize.adapt(clock.now() - startedMs);
        this.#report(session.offsetBytes);
      } else if (chunkSize.shrink() === 'exhausted') return 'refused';
    }
    return 'done';
  }

  async #read(): Promise<Blob> {
    const bytes = await this.#open();
    if (bytes.size === this.#descriptor.size) return bytes;
    throw new ApiError(
      'digest_mismatch',
      'A file of the model does not have the size that its manifest says. Repair the model, then push it again.',
    );
  }

  #report(sentBytes: number): void {
    this.#furthestBytes = Math.max(this.#furthestBytes, sentBytes);
    this.#context.onProgress(sentBytes);
  }
}
