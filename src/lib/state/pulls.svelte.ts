/** The pulls in progress and what a person can do with them. */
import type { PullJson, PullVerb } from '#lib/model/wire.ts';
import { post, send, type Client } from './client.ts';
import type { LiveFeed } from './feed.svelte.ts';
import { comparable } from './names.ts';

/** Sent with one pull and kept nowhere. */
export type Credentials =
  { readonly username: string; readonly password: string } | { readonly token: string };

const movingStatuses: ReadonlySet<PullJson['status']> = new Set([
  'queued',
  'resolving',
  'pulling',
  'checking',
  'retrying',
  'offline',
  'unpacking',
]);

export class Pulls {
  readonly #client: Client;
  readonly #feed: LiveFeed;
  #trayOpen = $state(false);
  readonly #moving = $derived.by(() => this.#feed.pulls.filter(isMoving));

  constructor({ client, feed }: { client: Client; feed: LiveFeed }) {
    this.#client = client;
    this.#feed = feed;
  }

  get list(): readonly PullJson[] {
    return this.#feed.pulls;
  }

  /** Those that are on their way: not paused, failed or done. */
  get moving(): readonly PullJson[] {
    return this.#moving;
  }

  get bytesPerSecond(): number {
    return this.#moving.reduce((sum, pull) => sum + pull.bytes_per_second, 0);
  }

  get trayOpen(): boolean {
    return this.#trayOpen;
  }

  set trayOpen(open: boolean) {
    this.#trayOpen = open;
  }

  find(reference: string): PullJson | undefined {
    const wanted = comparable(reference);
    return this.list.find((pull) => comparable(pull.id) === wanted);
  }

  /** Resolves once the runner has accepted the pull; its progress comes with the feed. */
  async start(reference: string, credentials?: Credentials): Promise<void> {
    await send(
      this.#client,
      '/_sampan/pulls',
      post({ from: reference, ...(credentials && { credentials }) }),
    );
  }

  async tell(pull: PullJson, verb: PullVerb): Promise<void> {
    await send(this.#client, `${pathOf(pull)}/${verb}`, post());
  }

  async pause(pull: PullJson): Promise<void> {
    await this.tell(pull, 'pause');
  }

  async resume(pull: PullJson): Promise<void> {
    await this.tell(pull, 'resume');
  }

  async pauseAll(): Promise<void> {
    await Promise.all(this.#moving.filter(isPausable).map((pull) => this.pause(pull)));
  }

  /** Drops what was fetched so far; a finished pull only leaves the list. */
  async cancel(pull: PullJson): Promise<void> {
    await send(this.#client, pathOf(pull), { method: 'DELETE' });
  }
}

export function isMoving(pull: PullJson): boolean {
  return movingStatuses.has(pull.status);
}

/** What is being checked or unpacked ends by itself. */
export function isPausable(pull: PullJson): boolean {
  return isMoving(pull) && pull.status !== 'checking' && pull.status !== 'unpacking';
}

/** 0 to 100, whole; `undefined` while the size is not known. */
export function percentOf(pull: PullJson): number | undefined {
  if (pull.total_bytes === 0) return undefined;
  return Math.floor((pull.received_bytes / pull.total_bytes) * 100);
}

/** Seconds to go at the present speed. */
export function secondsLeft(pull: PullJson): number | undefined {
  if (pull.status !== 'pulling' || pull.bytes_per_second <= 0 || pull.total_bytes === 0) return undefined;
  return Math.ceil((pull.total_bytes - pull.received_bytes) / pull.bytes_per_second);
}

function pathOf(pull: PullJson): string {
  return `/_sampan/pulls/${encodeURIComponent(pull.id)}`;
}
