/** Events from a callback world, read as an `AsyncIterable`. One reader; leaving the loop early runs `onReturn`. */

export class AsyncQueue<T> implements AsyncIterableIterator<T, void> {
  readonly #items: T[] = [];
  readonly #onReturn: () => void;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(onReturn: () => void = () => undefined) {
    this.#onReturn = onReturn;
  }

  push(item: T): void {
    if (this.#end) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** Ends the iteration after what is queued. */
  close(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  /** Ends the iteration with an error after what is queued. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<T, void>> {
    for (;;) {
      const [item] = this.#items.splice(0, 1);
      if (item !== undefined) return { value: item, done: false };
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error;
        return { value: undefined, done: true };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  return(): Promise<IteratorResult<T, void>> {
    this.close();
    this.#items.length = 0;
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
