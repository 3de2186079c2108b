/** One request, whole: read when it is opened, and again whenever its row tells of something newer. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import type { RequestJson } from '#lib/model/wire-requests.ts';
import { send, type Client } from './client.ts';

export type DetailState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly value: RequestJson }
  | { readonly status: 'failed'; readonly error: ApiError };

export class RequestDetail {
  readonly id: string;
  readonly #client: Client;
  #state = $state.raw<DetailState>({ status: 'loading' });
  /** Of the newest row that was told of. */
  #wanted = -1;
  #isReading = false;

  constructor({ client, id }: { client: Client; id: string }) {
    this.#client = client;
    this.id = id;
  }

  get state(): DetailState {
    return this.#state;
  }

  /** Reads what is at least as new as `version`. Many calls while one reading is on its way make one more reading. */
  async refresh(version: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, version);
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      do await this.#read();
      while (this.#state.status === 'ready' && this.#state.value.version < this.#wanted);
    } finally {
      this.#isReading = false;
    }
  }

  /** What was read stays when a later reading fails, unless the record is no more. */
  async #read(): Promise<void> {
    const wanted = this.#wanted;
    try {
      const response = await send(this.#client, `/_sampan/requests/${encodeURIComponent(this.id)}`);
      // The boundary: the runner is this same build, so the path settles the shape.
      this.#state = { status: 'ready', value: (await response.json()) as RequestJson };
    } catch (thrown) {
      const error = toApiError(thrown);
      if (this.#state.status !== 'ready' || error.code === 'route_not_found') {
        this.#state = { status: 'failed', error };
      }
    }
    // A record that is older than its row said is not asked for again and again.
    if (this.#wanted === wanted) this.#wanted = -1;
  }
}
