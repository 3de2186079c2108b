import type { StreamedUpload } from '#lib/core/upload.ts';

/** A body that is still coming in, as a stream or as a file; one of them is read, once. */
export interface ProgramUpload extends StreamedUpload {
  /** Resolves when all of it is on the disk. */
  readonly file: () => Promise<Blob>;
}

/**
 * A program's request with every header that it came with. A plain `Request` drops `origin`, `referer` and, in Chromium,
 * `user-agent` without a word, because a page may not send them; the runner reads in them who asks.
 */
export class ProgramRequest extends Request {
  readonly #headers: Headers;
  readonly upload: ProgramUpload | undefined;

  /** An upload takes the place of a body. */
  constructor(url: string, init: RequestInit & { readonly headers: Headers }, upload?: ProgramUpload) {
    super(url, init);
    this.#headers = init.headers;
    this.upload = upload;
  }

  override get body(): Request['body'] {
    return this.upload?.stream ?? super.body;
  }

  override blob(): Promise<Blob> {
    return this.upload?.file() ?? super.blob();
  }

  override get headers(): Headers {
    return this.#headers;
  }
}
