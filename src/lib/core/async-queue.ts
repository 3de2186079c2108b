/** Events from a callback world, read as an `AsyncIterable`. One reader; leaving the loop early runs `onReturn`. */

/** What the last of `unread` items and the one after it are together; undefined: they stay two. */
type Join<T> = (last: T, next: T, unread: number) => T | undefined;

export class AsyncQueue<T> implements AsyncIterableIterator<T, void> {
  readonly #items: T[] = [];
  readonly #onReturn: () => void;
  readonly #join: Join<T>;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(onReturn: () => void = () => undefined, join: Join<T> = () => undefined) {
    this.#onReturn = onReturn;
    this.#join = join;
  }

  push(item: T): void {
    if (this.#end) return;
    const last = this.#items.at(-1);
    const joined = last === undefined ? undefined : this.#join(last, item, this.#items.length);
    if (joined === undefined) this.#items.push(item);
    else this.#items[this.#items.length - 1] = joined;
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
