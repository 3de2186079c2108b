/** The list of requests: pages as they are scrolled to, and every change as it happens. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type {
  RequestEvents,
  RequestPageJson,
  RequestRowJson,
  RequestsKeptJson,
} from '#lib/model/wire-requests.ts';
import { parseJson, send, serverSentEvents, type Client } from './client.ts';
import { oncePerFrame, type Frames } from './frames.ts';
import { filterOf, withParameters, type RequestQuery } from './request-query.ts';
import { RequestRows } from './request-rows.ts';

/** `lost`: rows may be there, but they are as they were. `paused`: a person wants them so. */
export type ListState =
  { readonly kind: 'loading' | 'live' | 'paused' } | { readonly kind: 'lost'; readonly error: ApiError };

export interface RequestListOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly frames: Frames;
}

const pageRows = 300;
const mostRows = 1000;
const firstDelayMs = 250;
const longestDelayMs = 4000;

export class RequestList {
  readonly #options: RequestListOptions;
  #held = new RequestRows();
  readonly #show: () => void;
  #rows = $state.raw<readonly RequestRowJson[]>([]);
  #state = $state.raw<ListState>({ kind: 'loading' });
  #total = $state(0);
  #kept = $state.raw<RequestsKeptJson>();
  #next = $state<string>();
  #filter = '';
  #follower: AbortController | undefined;
  #isPaging = false;
  #hurry: () => void = () => undefined;

  constructor(options: RequestListOptions) {
    this.#options = options;
    this.#show = oncePerFrame(options.frames, () => {
      this.#rows = this.#held.list;
    });
  }

  /** Newest first, as far as they were scrolled to. */
  get rows(): readonly RequestRowJson[] {
    return this.#rows;
  }

  get state(): ListState {
    return this.#state;
  }

  /** How many match in all. */
  get total(): number {
    return Math.max(this.#total, this.#rows.length);
  }

  /** All that are kept, matching or not. */
  get kept(): RequestsKeptJson | undefined {
    return this.#kept;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  find(id: string): RequestRowJson | undefined {
    return this.#rows.find((row) => row.id === id);
  }

  /** Follows what matches, from now on; what was shown before stays until the first page is there. */
  show(query: RequestQuery): void {
    this.#filter = filterOf(query, this.#options.clock.now()).toString();
    this.#state = { kind: 'loading' };
    this.#begin();
  }

  pause(): void {
    this.#follower?.abort();
    this.#state = { kind: 'paused' };
  }

  resume(): void {
    this.#state = { kind: 'loading' };
    this.#begin();
  }

  stop(): void {
    this.#follower?.abort();
  }

  /** Skips what is left of the pause before the next attempt. */
  retry(): void {
    this.#hurry();
  }

  /** The following page; while one is on its way this asks for no other. Rejects when it cannot be had. */
  async loadMore(): Promise<void> {
    if (this.#next === undefined || this.#isPaging) return;
    const held = this.#held;
    this.#isPaging = true;
    try {
      const page = await this.#read({ limit: pageRows, before: this.#next });
      // Another list took its place meanwhile.
      if (held === this.#held) this.#merge(page);
    } finally {
      this.#isPaging = false;
    }
  }

  #begin(): void {
    this.#follower?.abort();
    this.#follower = new AbortController();
    void this.#follow(this.#follower.signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let delayMs = firstDelayMs;
    for (;;) {
      const error = await this.#listen(signal);
      if (signal.aborted) return;
      if (this.#state.kind === 'live') delayMs = firstDelayMs;
      this.#state = { kind: 'lost', error };
      await this.#pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  /** Events first, then the list: so nothing that happens between them is missed. Resolves with why it ended. */
  async #listen(signal: AbortSignal): Promise<ApiError> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    try {
      const path = `/_sampan/requests/events?${this.#filter}`;
      const response = await send(this.#options.client, path, { signal: both });
      this.#held = new RequestRows();
      this.#next = undefined;
      const [error] = await Promise.all([this.#hear(response, both), this.#readFirst(both)]);
      return error;
    } catch (thrown) {
      return toApiError(thrown);
    } finally {
      ended.abort();
    }
  }

  async #hear(response: Response, signal: AbortSignal): Promise<ApiError> {
    for await (const { event, data } of serverSentEvents(response)) {
      if (signal.aborted) break;
      this.#take(event, parseJson(data));
    }
    return new ApiError('host_lost', 'The engine went away. This page looks for it again by itself.');
  }

  async #readFirst(signal: AbortSignal): Promise<void> {
    const limit = Math.min(Math.max(pageRows, this.#rows.length), mostRows);
    const page = await this.#read({ limit }, signal);
    if (signal.aborted) return;
    this.#state = { kind: 'live' };
    this.#merge(page);
    this.#rows = this.#held.list;
  }

  async #read(wish: { limit: number; before?: string }, signal?: AbortSignal): Promise<RequestPageJson> {
    const path = `/_sampan/requests?${withParameters(this.#filter, wish)}`;
    const response = await send(this.#options.client, path, signal ? { signal } : {});
    // The boundary: the runner is this same build, so the path settles the shape.
    return (await response.json()) as RequestPageJson;
  }

  #merge({ requests, next, total, kept }: RequestPageJson): void {
    this.#held.takeAll(requests);
    this.#next = next;
    this.#total = total;
    this.#kept = kept;
    this.#show();
  }

  /** The boundary: the runner is this same build, so an event's name settles its shape. */
  #take(event: string | undefined, data: unknown): void {
    if (event === 'kept') this.#kept = data as RequestEvents['kept'];
    if (event === 'request' && this.#held.take(data as RequestEvents['request'])) this.#total++;
    if (event === 'gone') this.#total -= this.#held.drop((data as RequestEvents['gone']).ids);
    // Before the first page the old rows stay.
    if (this.#state.kind === 'live') this.#show();
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#hurry = () => early.abort();
    try {
      await sleep(this.#options.clock, delayMs, AbortSignal.any([signal, early.signal]));
    } catch {
      // Woken early, by a retry or by the end; the loop looks which.
    }
  }
}
