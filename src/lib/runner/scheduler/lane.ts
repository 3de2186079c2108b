/** Everyone who wants one model in one mode, first come first served, and the model once it is there. */
import type { Clock } from '#lib/core/clock.ts';
import { Backoff } from './backoff.ts';
import { sameConfig, type Lease, type ModelRequest } from './request.ts';
import type { Slot } from './slot.ts';

/** One request that waits. */
export interface Ticket {
  /** Place among all requests to the scheduler. */
  readonly number: number;
  readonly request: ModelRequest;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (reason: unknown) => void;
}

/** A lane waits for memory, which is there when these have left. */
interface RoomWait {
  readonly sinceMs: number;
  readonly claims: ReadonlySet<Slot>;
}

export class Lane {
  readonly backoff: Backoff;
  readonly #tickets: Ticket[] = [];
  readonly #leaving = new Set<Slot>();
  #slot: Slot | undefined;
  #wait: RoomWait | undefined;

  constructor(clock: Clock, onChange: () => void) {
    this.backoff = new Backoff(clock, onChange);
  }

  /** The model, once its load began and until it leaves. */
  get slot(): Slot | undefined {
    return this.#slot;
  }

  /** All that hold memory. */
  get slots(): readonly Slot[] {
    return this.#slot ? [this.#slot, ...this.#leaving] : [...this.#leaving];
  }

  get head(): Ticket | undefined {
    return this.#tickets[0];
  }

  get queued(): number {
    return this.#tickets.length;
  }

  get wait(): RoomWait | undefined {
    return this.#wait;
  }

  get mayLoad(): boolean {
    return this.slots.length === 0 && this.backoff.over;
  }

  add(ticket: Ticket): void {
    this.#tickets.push(ticket);
  }

  /** `false` if it does not wait any more. */
  remove(ticket: Ticket): boolean {
    const index = this.#tickets.indexOf(ticket);
    if (index >= 0) this.#tickets.splice(index, 1);
    if (this.#tickets.length === 0) this.#wait = undefined;
    return index >= 0;
  }

  /** Whether anybody waits for the model as it is loaded. */
  wants({ request }: Slot): boolean {
    return this.#tickets.some((ticket) => sameConfig(ticket.request, request));
  }

  /** Those who wait for the model with this config get the reason instead; all if no config is given. */
  refuse(reason: unknown, request?: ModelRequest): void {
    for (const ticket of [...this.#tickets]) {
      if (request && !sameConfig(ticket.request, request)) continue;
      this.remove(ticket);
      ticket.refuse(reason);
    }
  }

  /** Keeps since when it waits. */
  waitFor(claims: readonly Slot[], nowMs: number): void {
    this.#wait = { sinceMs: this.#wait?.sinceMs ?? nowMs, claims: new Set(claims) };
  }

  enter(slot: Slot): void {
    this.#slot = slot;
    this.#wait = undefined;
  }

  /** Its load failed: it holds nothing. */
  vacate(): void {
    this.#slot = undefined;
  }

  /** Resolves when nothing of the lane is in memory. */
  async leave(): Promise<void> {
    const slot = this.#slot;
    if (slot) this.#leaving.add(slot);
    this.#slot = undefined;
    await Promise.all([...this.#leaving].map((each) => each.leave()));
    if (slot) this.#leaving.delete(slot);
  }
}
