/** What followers hear of the records: each change, and of one that grows no more than they can show. */
import type { Clock } from '#lib/core/clock.ts';

export type RecorderChange =
  | { readonly type: 'changed'; readonly id: string }
  | { readonly type: 'gone'; readonly ids: readonly string[] };

/** A record that grows is told this often at most. */
const growingMs = 250;

export class Changes {
  readonly #clock: Clock;
  readonly #followers = new Set<(change: RecorderChange) => void>();
  /** When each record that is under way was last told to have grown. */
  readonly #toldMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells of every change; returns how to stop. */
  follow(tell: (change: RecorderChange) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  tell(change: RecorderChange): void {
    for (const tell of [...this.#followers]) tell(change);
  }

  grown(id: string): void {
    const nowMs = this.#clock.now();
    if (nowMs - (this.#toldMs.get(id) ?? -Infinity) < growingMs) return;
    this.#toldMs.set(id, nowMs);
    this.tell({ type: 'changed', id });
  }

  /** It grows no more. */
  ended(id: string): void {
    this.#toldMs.delete(id);
    this.tell({ type: 'changed', id });
  }
}
