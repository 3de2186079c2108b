/** Messages in the order they came, then the failure that ended them. */
export class Inbox<T> {
  readonly #waiting: T[] = [];
  #failure: { readonly reason: unknown } | undefined;
  #wake: () => void = () => undefined;

  push(message: T): void {
    this.#waiting.push(message);
    this.#wake();
  }

  /** What has arrived is still read; then `next` rejects with `reason`. The first failure stays. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake();
  }

  /** As `fail`, and what has arrived is dropped. */
  abort(reason: unknown): void {
    this.#waiting.length = 0;
    this.fail(reason);
  }

  /** One reader at a time. */
  async next(): Promise<T> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) return message;
      if (this.#failure) throw this.#failure.reason;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
