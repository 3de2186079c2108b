/** The live picture of the runner: one event feed, kept open for as long as the page is. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { sleep, type Clock } from '#lib/core/clock.ts';
import type { Feed, LocalModelJson, PullJson, RunnerJson, StatusJson } from '#lib/model/wire.ts';
import { parseJson, send, serverSentEvents, type Client } from './client.ts';

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly error: ApiError };

const firstDelayMs = 250;
const longestDelayMs = 4000;

export interface LiveFeedOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** The feed ended; it is asked for again. */
  readonly onLost: (error: ApiError) => void;
}

/** Shows the last known state while the feed is down: a new host answers within seconds. */
export class LiveFeed {
  readonly #client: Client;
  readonly #clock: Clock;
  #status = $state.raw<StatusJson>();
  #models = $state.raw<readonly LocalModelJson[]>();
  #pulls = $state.raw<readonly PullJson[]>();
  #runners = $state.raw<readonly RunnerJson[]>();
  #connection = $state.raw<Connection>({ kind: 'connecting' });
  readonly #onLost: (error: ApiError) => void;
  #hurry: () => void = () => undefined;

  constructor({ client, clock, onLost }: LiveFeedOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#onLost = onLost;
  }

  get status(): StatusJson | undefined {
    return this.#status;
  }

  get models(): readonly LocalModelJson[] | undefined {
    return this.#models;
  }

  get pulls(): readonly PullJson[] {
    return this.#pulls ?? [];
  }

  get runners(): readonly RunnerJson[] {
    return this.#runners ?? [];
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Follows the feed until the returned function is called. */
  start(): () => void {
    const controller = new AbortController();
    void this.#follow(controller.signal);
    return () => controller.abort();
  }

  /** Skips what is left of the pause before the next attempt. */
  retry(): void {
    this.#hurry();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let delayMs = firstDelayMs;
    for (;;) {
      const before = this.#connection;
      const error = await this.#listen(signal);
      if (signal.aborted) return;
      if (this.#connection.kind === 'live' && before !== this.#connection) delayMs = firstDelayMs;
      this.#connection = { kind: 'lost', error };
      this.#onLost(error);
      await this.#pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  /** Resolves with why the feed ended; it never ends well. */
  async #listen(signal: AbortSignal): Promise<ApiError> {
    try {
      const response = await send(this.#client, '/_sampan/events', { signal });
      for await (const { event, data } of serverSentEvents(response)) {
        this.#take(event, parseJson(data));
        if (this.#connection.kind !== 'live') this.#connection = { kind: 'live' };
      }
      return new ApiError('host_lost', 'The engine went away. This page looks for it again by itself.');
    } catch (thrown) {
      return toApiError(thrown);
    }
  }

  /** The boundary: the runner is this same build, so an event's name settles its shape. */
  #take(event: string | undefined, data: unknown): void {
    if (event === 'status') this.#status = data as Feed['status'];
    if (event === 'models') this.#models = data as Feed['models'];
    if (event === 'pulls') this.#pulls = data as Feed['pulls'];
    if (event === 'runners') this.#runners = data as Feed['runners'];
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#hurry = () => early.abort();
    try {
      await sleep(this.#clock, delayMs, AbortSignal.any([signal, early.signal]));
    } catch {
      // Woken early, by a retry or by the end; the loop looks which.
    }
  }
}
