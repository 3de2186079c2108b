/** Where a request is, and how long it was in each state. */
import type { RequestState, RequestTimingJson } from '#lib/model/wire-requests.ts';

const order: Readonly<Record<RequestState, number>> = {
  queued: 0,
  loading: 0,
  prefill: 1,
  decode: 2,
  done: 3,
  failed: 3,
  cancelled: 3,
  lost: 3,
};

export class StateClock {
  #state: RequestState = 'queued';
  #sinceMs: number;
  /** Until then it was only being read. */
  #waits = false;
  #endedMs: number | undefined;
  readonly #startedMs: number;
  readonly #spentMs = new Map<RequestState, number>();

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
    this.#sinceMs = startedMs;
  }

  get state(): RequestState {
    return this.#state;
  }

  get ended(): boolean {
    return isEnd(this.#state);
  }

  /** From now on it waits for its turn. */
  wait(nowMs: number): void {
    this.#waits = true;
    this.#sinceMs = nowMs;
  }

  /** `false` when it is there already or beyond. */
  enter(state: RequestState, nowMs: number): boolean {
    if (state === this.#state || this.ended || order[state] < order[this.#state]) return false;
    if (this.#waits)
      this.#spentMs.set(this.#state, (this.#spentMs.get(this.#state) ?? 0) + nowMs - this.#sinceMs);
    this.#state = state;
    this.#sinceMs = nowMs;
    if (isEnd(state)) this.#endedMs = nowMs;
    return true;
  }

  timing(): RequestTimingJson {
    const spent = this.#spentMs;
    const [queue, load, prefill, decode] = [
      spent.get('queued'),
      spent.get('loading') ?? (spent.has('prefill') || this.#state === 'prefill' ? 0 : undefined),
      spent.get('prefill'),
      spent.get('decode'),
    ];
    return {
      ...(queue !== undefined && { queue_ms: queue }),
      ...(load !== undefined && { load_ms: load }),
      ...(prefill !== undefined && { prefill_ms: prefill }),
      ...(decode !== undefined && { decode_ms: decode }),
      ...(this.#endedMs !== undefined && { duration_ms: this.#endedMs - this.#startedMs }),
    };
  }
}

export function isEnd(state: RequestState): boolean {
  return order[state] === 3;
}
