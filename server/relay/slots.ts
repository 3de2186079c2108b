/** How many requests one client may have under way, so that one page cannot use up the machine's connections. */
import { ApiError } from '#lib/core/errors.ts';

export class Slots {
  readonly #limit: number;
  readonly #taken = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns how to give the slot back, once. Throws `rate_limited`. */
  take(client: string): () => void {
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= this.#limit) {
      throw new ApiError(
        'rate_limited',
        `The relay carries ${this.#limit} requests at once. Wait for one to end.`,
      );
    }
    this.#taken.set(client, taken + 1);
    return () => this.#release(client);
  }

  #release(client: string): void {
    const left = (this.#taken.get(client) ?? 0) - 1;
    if (left > 0) this.#taken.set(client, left);
    else this.#taken.delete(client);
  }
}
