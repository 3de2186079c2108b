/**
 * A program's request with every header that it came with. A plain `Request` drops `origin`, `referer` and, in Chromium,
 * `user-agent` without a word, because a page may not send them; the runner reads in them who asks.
 */
export class ProgramRequest extends Request {
  readonly #headers: Headers;

  constructor(url: string, init: RequestInit & { readonly headers: Headers }) {
    super(url, init);
    this.#headers = init.headers;
  }

  override get headers(): Headers {
    return this.#headers;
  }
}
