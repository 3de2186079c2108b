/**
 * Who may use which model, and when models are loaded and unloaded. Everyone who waits for a model shares its one load,
 * first come first served; models that fit into memory together answer at the same time.
 */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import type { Engine, LoadedModel, RunnerMode } from '#lib/engine/port.ts';
import { admit, isHeldBack, type AdmissionPorts } from './admission.ts';
import { Lane, type Ticket } from './lane.ts';
import { modelInUse, pinnedInTheWay, runnerClosed } from './refusals.ts';
import { sameConfig, type Lease, type ModelRequest, type Resident } from './request.ts';
import { isLoss, retryUntouched } from './retry.ts';
import { Slot, type SlotPorts } from './slot.ts';

export interface SchedulerOptions {
  readonly engines: readonly Engine[];
  readonly clock: Clock;
  /** How long an unused model stays loaded, asked whenever one comes to rest; five minutes when absent. */
  readonly keepAliveMs?: () => number;
  /** Memory for models, asked whenever one is to be loaded. `Infinity`, which is the default, where it is unknown. */
  readonly memoryBudgetBytes?: () => number;
  /** An engine that failed to close, for the log. */
  readonly onError?: (thrown: unknown) => void;
}

const fiveMinutesMs = 5 * 60_000;

export class Scheduler {
  readonly changed = new Signal();
  readonly #keepAliveMs: () => number;
  readonly #clock: Clock;
  readonly #slotPorts: SlotPorts;
  readonly #admission: AdmissionPorts;
  /** By model and mode. */
  readonly #lanes = new Map<string, Lane>();
  #arrivals = 0;
  #closed = false;

  constructor({ engines, clock, keepAliveMs = () => fiveMinutesMs, ...options }: SchedulerOptions) {
    this.#keepAliveMs = keepAliveMs;
    this.#clock = clock;
    const onError = options.onError ?? (() => undefined);
    this.#slotPorts = { engines, clock, keepAliveMs, onIdle: this.#pump, onError };
    this.#admission = {
      clock,
      budgetBytes: options.memoryBudgetBytes ?? (() => Infinity),
      load: (lane, { request }) => this.#load(lane, request),
      evict: (slot) => void this.#unload(this.#laneOf(slot.request)),
      refuse: (lane, { request }, pinned) => lane.refuse(pinnedInTheWay(request, pinned), request),
    };
  }

  /** Of requests that do not say, as it is now. */
  get keepAliveMs(): number {
    return this.#keepAliveMs();
  }

  /** Models in memory and on their way there; those that are leaving are not among them. */
  get residents(): readonly Resident[] {
    return [...this.#lanes.values()].flatMap(({ slot, queued }) => (slot ? [slot.describe(queued)] : []));
  }

  residentOf(id: Digest, mode: RunnerMode): Resident | undefined {
    return this.residents.find(({ request }) => request.id === id && request.mode === mode);
  }

  /** Requests that wait, those that are answered not counted. */
  get queued(): number {
    return [...this.#lanes.values()].reduce((sum, { queued }) => sum + queued, 0);
  }

  /**
   * Waits for the model and for its turn. Throws what loading throws, and `insufficient_memory` when only pinned models
   * could make room; rejects with the signal's reason when aborted.
   */
  acquire(request: ModelRequest, signal: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#closed) throw runnerClosed();
      const lane = this.#laneOf(request);
      const onAbort = () => this.#withdraw(lane, ticket, signal.reason);
      const settled = () => signal.removeEventListener('abort', onAbort);
      const ticket: Ticket = {
        number: this.#arrivals++,
        request,
        grant: (lease) => {
          settled();
          resolve(lease);
        },
        refuse: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      lane.add(ticket);
      this.#pump();
    });
  }

  /**
   * Iterates over what `use` makes of the model, and releases it however that ends. If the engine is lost before an
   * item came that `isAnswer`, the same is tried once more on a fresh engine.
   */
  run<T>(
    request: ModelRequest,
    signal: AbortSignal,
    use: (lease: Lease) => AsyncIterable<T>,
    isAnswer: (item: T) => boolean = () => true,
  ): AsyncGenerator<T, void, undefined> {
    return retryUntouched(use, {
      request,
      isAnswer,
      acquire: () => this.acquire(request, signal),
      onLoss: (model) => this.#lost(this.#laneOf(request), model),
      mayRetry: () => !this.#closed,
    });
  }

  /** Unloads idle models among those that are `meant`. Busy and loading ones stay. Resolves with how many went. */
  async unload(meant: (resident: Resident) => boolean = () => true): Promise<number> {
    const lanes = [...this.#lanes.values()].filter(
      ({ slot, queued }) => slot?.status === 'idle' && meant(slot.describe(queued)),
    );
    await this.#unloadAll(lanes);
    return lanes.length;
  }

  /**
   * The keep-alive or the memory for models has changed. What is `outdated` besides leaves as soon as nobody uses it or
   * waits for it; whoever it answers is answered to the end.
   */
  refresh(outdated: (resident: Resident) => boolean = () => false): void {
    for (const { slot, queued } of this.#lanes.values()) {
      if (!slot) continue;
      if (outdated(slot.describe(queued))) slot.retire();
      if (slot.request.keepAliveMs === undefined) slot.rest();
    }
    this.#pump();
  }

  /** Unloads the model in all its modes; throws `conflict` while it answers or loads in any. */
  async free(id: Digest): Promise<void> {
    const lanes = [...this.#lanes.values()].filter(({ slot }) => slot?.request.id === id);
    if (lanes.some(({ slot }) => slot?.status !== 'idle')) throw modelInUse();
    await this.#unloadAll(lanes);
  }

  /** Ends everything; waiting requests get `host_lost`. */
  async close(): Promise<void> {
    this.#closed = true;
    const lanes = [...this.#lanes.values()];
    const reason = runnerClosed();
    for (const lane of lanes) {
      lane.backoff.stop();
      lane.refuse(reason);
    }
    await this.#unloadAll(lanes);
  }

  #laneOf({ id, mode }: Pick<ModelRequest, 'id' | 'mode'>): Lane {
    const key = `${id} ${mode}`;
    const lane = this.#lanes.get(key) ?? new Lane(this.#clock, this.#pump);
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Does whatever can be done now. Leases come first, so that nothing is evicted that was loaded for somebody. */
  readonly #pump = (): void => {
    if (!this.#closed) {
      const lanes = inOrder([...this.#lanes.values()]);
      for (const lane of lanes) this.#lease(lane, lanes);
      for (const lane of lanes) if (lane.slot?.expired) void this.#unload(lane);
      admit(inOrder(lanes), this.#admission);
    }
    this.changed.notify();
  };

  #lease(lane: Lane, lanes: readonly Lane[]): void {
    const { slot } = lane;
    if (!slot) return;
    for (let head = lane.head; head; head = lane.head) {
      if (isHeldBack(slot, head, lanes, this.#clock.now())) return;
      const lease = slot.lease(head.request);
      if (!lease) break;
      lane.remove(head);
      head.grant(lease);
    }
    const outdated = lane.head && !sameConfig(lane.head.request, slot.request);
    if (outdated && slot.status === 'idle') void this.#unload(lane);
  }

  #load(lane: Lane, request: ModelRequest): void {
    const slot = new Slot(request, this.#slotPorts);
    lane.enter(slot);
    slot.ready.then(
      (model) => this.#loaded(lane, slot, model),
      (thrown: unknown) => this.#failed(lane, slot, thrown),
    );
  }

  #loaded(lane: Lane, slot: Slot, model: LoadedModel): void {
    if (lane.slot !== slot) return;
    void model.lost.then(() => this.#lost(lane, model));
    slot.rest();
    this.#pump();
  }

  #failed(lane: Lane, slot: Slot, thrown: unknown): void {
    if (lane.slot !== slot) return;
    const error = toApiError(thrown);
    lane.vacate();
    if (isLoss(error)) lane.backoff.lost(0);
    lane.refuse(error, slot.request);
    this.#pump();
  }

  #lost(lane: Lane, model: LoadedModel): void {
    const { slot } = lane;
    if (slot?.loaded !== model) return;
    lane.backoff.lost(slot.livedMs);
    void this.#unload(lane);
    this.#pump();
  }

  /** A ticket that is aborted before its turn. The load goes on only if somebody else waits for it. */
  #withdraw(lane: Lane, ticket: Ticket, reason: unknown): void {
    if (!lane.remove(ticket)) return;
    ticket.refuse(reason);
    const { slot } = lane;
    if (slot?.status === 'loading' && !lane.wants(slot)) void this.#unload(lane);
    this.#pump();
  }

  async #unloadAll(lanes: readonly Lane[]): Promise<void> {
    const done = Promise.all(lanes.map((lane) => this.#unload(lane)));
    this.changed.notify();
    await done;
  }

  async #unload(lane: Lane): Promise<void> {
    await lane.leave();
    this.#pump();
  }
}

/** Those that wait first, in the order in which their heads came. */
function inOrder(lanes: readonly Lane[]): readonly Lane[] {
  const arrival = ({ head }: Lane) => head?.number ?? Number.MAX_SAFE_INTEGER;
  return [...lanes].sort((one, other) => arrival(one) - arrival(other));
}
