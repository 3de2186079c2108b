/** Everything the pages show, as whole subjects that are sent again when they change, ten times a second at most. */
import type { Clock } from '#lib/core/clock.ts';
import type { Signal } from '#lib/core/observable.ts';
import type { Feed as FeedJson, StatusJson } from '#lib/model/wire.ts';

type Subject = keyof FeedJson;
type Tell = (subject: Subject, value: unknown) => void;

export interface FeedSource {
  readonly changed: readonly Signal[];
  readonly read: () => unknown;
}

export interface FeedOptions {
  readonly clock: Clock;
  readonly sources: Readonly<Record<Subject, FeedSource>>;
  readonly status: () => Promise<StatusJson>;
  /** A subject that cannot be read; the feed goes on with the others. */
  readonly onError: (thrown: unknown) => void;
}

const intervalMs = 100;

export class Feed {
  readonly status: () => Promise<StatusJson>;
  readonly #clock: Clock;
  readonly #sources: FeedOptions['sources'];
  readonly #onError: FeedOptions['onError'];
  readonly #followers = new Set<Tell>();
  readonly #due = new Set<Subject>();
  #scheduled = false;

  constructor({ clock, sources, status, onError }: FeedOptions) {
    this.#clock = clock;
    this.#sources = sources;
    this.#onError = onError;
    this.status = status;
    for (const subject of this.#subjects()) {
      for (const signal of sources[subject].changed) signal.subscribe(() => this.#touch(subject));
    }
  }

  /** Tells every subject now and again whenever it changes; returns how to stop. */
  follow(tell: Tell): () => void {
    this.#followers.add(tell);
    for (const subject of this.#subjects()) void this.#send(subject, [tell]);
    return () => this.#followers.delete(tell);
  }

  #touch(subject: Subject): void {
    this.#due.add(subject);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(intervalMs, () => {
      this.#scheduled = false;
      const due = [...this.#due];
      this.#due.clear();
      for (const each of due) void this.#send(each, this.#followers);
    });
  }

  async #send(subject: Subject, followers: Iterable<Tell>): Promise<void> {
    try {
      const value = await this.#sources[subject].read();
      for (const tell of followers) tell(subject, value);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  #subjects(): readonly Subject[] {
    return ['status', 'models', 'pulls', 'runners'];
  }
}
