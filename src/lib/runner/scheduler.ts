/**
 * Who may use the engine, and when a model is loaded and unloaded. One model at a time, one request at a time, first
 * come first served: everyone who waits for a model shares its one load.
 */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import type { Engine, EngineName, LoadableModel, LoadConfig, LoadedModel } from '#lib/engine/port.ts';

export interface SchedulerOptions {
  /** Which engine loads a model is decided by its files. */
  readonly engines: readonly Engine[];
  readonly clock: Clock;
  /** How long an unused model stays loaded. */
  readonly keepAliveMs?: number;
}

/** What is to be loaded; `open` is called only if it is not loaded yet. */
export interface ModelRequest {
  readonly id: Digest;
  /** As a person would type it, for `ps`. */
  readonly name: string;
  readonly config: LoadConfig;
  /** `Infinity` keeps it for ever, 0 unloads it at once; the scheduler's own when absent. */
  readonly keepAliveMs?: number | undefined;
  readonly open: () => Promise<LoadableModel>;
}

/** The exclusive use of a loaded model. `release` is idempotent. */
export interface Lease {
  readonly model: LoadedModel;
  release(): void;
}

export interface Resident {
  /** Known once its files are open. */
  readonly engine: EngineName | undefined;
  readonly request: ModelRequest;
  readonly state: 'loading' | 'idle' | 'busy';
  readonly loaded: LoadedModel | undefined;
  readonly lastUsedMs: number;
  /** When it will be unloaded if nobody comes. */
  readonly expiresAtMs: number | undefined;
}

interface Ticket {
  readonly request: ModelRequest;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (error: unknown) => void;
}

interface Slot {
  /** The latest one: the keep-alive may change while it is loaded. */
  request: ModelRequest;
  readonly abort: AbortController;
  engine: EngineName | undefined;
  state: Resident['state'];
  loaded: LoadedModel | undefined;
  lastUsedMs: number;
  expiresAtMs: number | undefined;
  cancelExpiry: () => void;
}

export class Scheduler {
  readonly changed = new Signal();
  readonly keepAliveMs: number;
  readonly #engines: readonly Engine[];
  readonly #clock: Clock;
  readonly #queue: Ticket[] = [];
  #slot: Slot | undefined;
  #pumping = false;

  constructor({ engines, clock, keepAliveMs = 5 * 60_000 }: SchedulerOptions) {
    this.#engines = engines;
    this.#clock = clock;
    this.keepAliveMs = keepAliveMs;
  }

  get resident(): Resident | undefined {
    return this.#slot;
  }

  /** Requests that wait, the running one not counted. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Waits for the model and for its turn. Throws what loading throws; rejects with the signal's reason when aborted. */
  acquire(request: ModelRequest, signal: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => this.#withdraw(ticket, signal.reason);
      const ticket: Ticket = {
        request,
        grant: (lease) => {
          signal.removeEventListener('abort', onAbort);
          resolve(lease);
        },
        refuse: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(toRejection(error));
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(ticket);
      this.changed.notify();
      void this.#pump();
    });
  }

  /** Unloads idle models among `ids`, all if undefined. Busy and loading ones stay. Resolves with how many went. */
  async unload(ids?: ReadonlySet<Digest>): Promise<number> {
    const slot = this.#slot;
    if (slot?.state !== 'idle' || (ids && !ids.has(slot.request.id))) return 0;
    await this.#drop(slot);
    return 1;
  }

  /** Unloads the model if it is loaded; throws `conflict` while it answers or loads. */
  async free(id: Digest): Promise<void> {
    const slot = this.#slot;
    if (slot?.request.id !== id) return;
    if (slot.state !== 'idle') {
      throw new ApiError(
        'conflict',
        'This model is answering a request. Stop it first, then delete the model.',
      );
    }
    await this.#drop(slot);
  }

  /** Ends everything; waiting requests get `host_lost`. */
  async close(): Promise<void> {
    const lost = new ApiError('host_lost', 'The tab that ran the model was closed. Try again.');
    for (const ticket of this.#queue.splice(0)) ticket.refuse(lost);
    if (this.#slot) await this.#drop(this.#slot);
  }

  /** Serves the head of the queue while the engine is free. Never runs twice at once, never rejects. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#queue[0] && this.#slot?.state !== 'busy') await this.#serve(this.#queue[0]);
    } finally {
      this.#pumping = false;
    }
  }

  async #serve(ticket: Ticket): Promise<void> {
    try {
      const { slot, model } = await this.#ensureLoaded(ticket.request);
      // Whoever asked may have left while it loaded; the next one may want the same model.
      const index = this.#queue.findIndex((waiting) => waiting.request.id === slot.request.id);
      const [next] = index < 0 ? [] : this.#queue.splice(index, 1);
      if (next) this.#grant(next, slot, model);
      else this.#idle(slot);
    } catch (thrown) {
      // A load that was given up because its caller left says nothing to those who came since.
      if (this.#queue.includes(ticket)) this.#refuseAll(ticket.request.id, thrown);
    }
  }

  async #ensureLoaded(request: ModelRequest): Promise<{ slot: Slot; model: LoadedModel }> {
    const current = this.#slot;
    if (current?.loaded && current.request.id === request.id && sameConfig(current.request, request)) {
      current.request = request;
      return { slot: current, model: current.loaded };
    }
    if (current) await this.#drop(current);
    return this.#load(request);
  }

  async #load(request: ModelRequest): Promise<{ slot: Slot; model: LoadedModel }> {
    const slot = this.#newSlot(request);
    this.#slot = slot;
    this.changed.notify();
    try {
      const loadable = await request.open();
      const engine = this.#engineFor(loadable);
      slot.engine = engine.name;
      const model = await engine.load(loadable, request.config, { signal: slot.abort.signal });
      slot.loaded = model;
      void model.lost.then(() => this.#drop(slot));
      return { slot, model };
    } catch (thrown) {
      await this.#drop(slot);
      throw thrown;
    }
  }

  #engineFor({ kind }: LoadableModel): Engine {
    const name = kind === 'mlc' ? 'webllm' : 'llama.cpp';
    const engine = this.#engines.find((each) => each.name === name);
    if (engine) return engine;
    throw new ApiError(
      'unsupported_model_format',
      `This model runs on ${name}, which is not part of this version.`,
    );
  }

  #newSlot(request: ModelRequest): Slot {
    return {
      request,
      abort: new AbortController(),
      engine: undefined,
      state: 'loading',
      loaded: undefined,
      lastUsedMs: this.#clock.now(),
      expiresAtMs: undefined,
      cancelExpiry: () => undefined,
    };
  }

  #grant(ticket: Ticket, slot: Slot, model: LoadedModel): void {
    slot.cancelExpiry();
    slot.expiresAtMs = undefined;
    slot.state = 'busy';
    slot.lastUsedMs = this.#clock.now();
    this.changed.notify();
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#idle(slot);
      void this.#pump();
    };
    ticket.grant({ model, release });
  }

  #idle(slot: Slot): void {
    if (this.#slot !== slot) return;
    slot.cancelExpiry();
    slot.state = 'idle';
    slot.lastUsedMs = this.#clock.now();
    const keepAliveMs = slot.request.keepAliveMs ?? this.keepAliveMs;
    if (keepAliveMs < Infinity) this.#expireAfter(keepAliveMs, slot);
    this.changed.notify();
  }

  #expireAfter(keepAliveMs: number, slot: Slot): void {
    slot.expiresAtMs = slot.lastUsedMs + keepAliveMs;
    slot.cancelExpiry = this.#clock.after(keepAliveMs, () => {
      if (slot.state === 'idle') void this.#drop(slot);
    });
  }

  async #drop(slot: Slot): Promise<void> {
    if (this.#slot !== slot) return;
    slot.cancelExpiry();
    this.#slot = undefined;
    slot.abort.abort();
    await slot.loaded?.close();
    this.changed.notify();
    void this.#pump();
  }

  /** A ticket that is aborted before its turn. The load goes on only if somebody else waits for it. */
  #withdraw(ticket: Ticket, reason: unknown): void {
    const index = this.#queue.indexOf(ticket);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    ticket.refuse(reason);
    const slot = this.#slot;
    const wanted = this.#queue.some((waiting) => waiting.request.id === slot?.request.id);
    if (slot?.state === 'loading' && !wanted) slot.abort.abort(reason);
    this.changed.notify();
  }

  #refuseAll(id: Digest, thrown: unknown): void {
    const refused = this.#queue.filter((ticket) => ticket.request.id === id);
    for (const ticket of refused) {
      this.#queue.splice(this.#queue.indexOf(ticket), 1);
      ticket.refuse(thrown);
    }
    this.changed.notify();
  }
}

/** Aborts stay what they are; everything else crosses as an `ApiError`. */
function toRejection(thrown: unknown): Error {
  return thrown instanceof DOMException ? thrown : toApiError(thrown);
}

/** Whether a model that was loaded for the one also serves the other. */
export function sameConfig(one: Pick<ModelRequest, 'config'>, other: Pick<ModelRequest, 'config'>): boolean {
  return JSON.stringify(one.config) === JSON.stringify(other.config);
}
