/** Short messages that come and go at the edge of the page. */
import type { Clock } from '#lib/core/clock.ts';
import { toApiError } from '#lib/core/errors.ts';
import { Delays } from './delays.ts';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'bad';
  readonly action?: { readonly label: string; readonly run: () => void };
  /** How long its action is possible; held or not, it goes then. */
  readonly possibleMs?: number;
}

const shownMs = 8000;

export class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #lastId = 0;
  readonly #timers: Delays<number>;

  constructor({ clock }: { clock: Clock }) {
    this.#timers = new Delays(clock);
  }

  get list(): readonly Toast[] {
    return this.#list;
  }

  say(text: string): void {
    this.#start(this.#add({ text, tone: 'neutral' }));
  }

  /** Stays until it is dismissed or acted on. */
  offer(text: string, action: NonNullable<Toast['action']>): void {
    this.#add({ text, tone: 'neutral', action });
  }

  /** An offer that ends by itself: an undo that comes too late would only fail. */
  offerFor(possibleMs: number, text: string, action: NonNullable<Toast['action']>): void {
    const id = this.#add({ text, tone: 'neutral', action, possibleMs });
    this.#timers.set(id, possibleMs, () => this.dismiss(id));
  }

  fail(thrown: unknown): void {
    this.#start(this.#add({ text: toApiError(thrown).message, tone: 'bad' }));
  }

  /** For verbs whose failure has no better place: says why, and goes on. */
  async report(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  dismiss(id: number): void {
    this.#timers.cancel(id);
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }

  /** Under the pointer or the focus a toast does not go away. */
  hold(id: number): void {
    const isTimed = this.#list.some((toast) => toast.id === id && toast.possibleMs !== undefined);
    if (!isTimed) this.#timers.cancel(id);
  }

  release(toast: Toast): void {
    if (!toast.action) this.#start(toast.id);
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = ++this.#lastId;
    this.#list = [...this.#list, { id, ...toast }];
    return id;
  }

  #start(id: number): void {
    this.#timers.set(id, shownMs, () => this.dismiss(id));
  }
}
