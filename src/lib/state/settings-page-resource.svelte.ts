/** Something of the runner that a page shows: read when asked, and what was read last stays while it is read again. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';

export type ResourceState<Value> =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly value: Value }
  | { readonly status: 'failed'; readonly error: ApiError };

export class Resource<Value> {
  readonly #read: () => Promise<Value>;
  #state = $state.raw<ResourceState<Value>>({ status: 'loading' });

  constructor(read: () => Promise<Value>) {
    this.#read = read;
  }

  get state(): ResourceState<Value> {
    return this.#state;
  }

  get value(): Value | undefined {
    return this.#state.status === 'ready' ? this.#state.value : undefined;
  }

  /** Never rejects: why it could not be read is its state, unless something is there to show. */
  async load(): Promise<void> {
    try {
      this.set(await this.#read());
    } catch (thrown) {
      if (this.#state.status !== 'ready') this.#state = { status: 'failed', error: toApiError(thrown) };
    }
  }

  set(value: Value): void {
    this.#state = { status: 'ready', value };
  }
}
