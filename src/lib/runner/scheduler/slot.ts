/** One model in memory: loaded once, leased to as many requests as it answers at once, closed exactly once. */
import type { Clock } from '#lib/core/clock.ts';
import type { EngineName, LoadedModel } from '#lib/engine/port.ts';
import { openAndLoad, type LoaderPorts } from './loader.ts';
import { sameConfig, type Lease, type ModelRequest, type Resident } from './request.ts';
import type { Occupant } from './room.ts';
import { atMost } from './at-most.ts';

export interface SlotPorts extends LoaderPorts {
  readonly clock: Clock;
  /** Of requests that do not say; asked whenever a model comes to rest. */
  readonly keepAliveMs: () => number;
  /** A lease was given back, or nobody came for as long as it was to be kept. */
  readonly onIdle: () => void;
  readonly onError: (thrown: unknown) => void;
}

/** An engine that does not answer is given up, so that the next model is not kept waiting by it for ever. */
const closeWithinMs = 10_000;
/** A browser's timers overflow beyond 2^31 ms and then fire at once; 24 days are less. */
const longestTimerMs = 24 * 24 * 3_600_000;

export class Slot implements Occupant {
  readonly sizeBytes: number;
  #request: ModelRequest;
  #engine: EngineName | undefined;
  #loaded: LoadedModel | undefined;
  #loadedAtMs = 0;
  #lastUsedMs: number;
  #active = 0;
  #expiresAtMs: number | undefined;
  #expired = false;
  #retired = false;
  #cancelExpiry: () => void = () => undefined;
  #left: Promise<void> | undefined;
  readonly #ports: SlotPorts;
  readonly #abort = new AbortController();
  readonly #loading: Promise<LoadedModel>;

  /** Begins to load. */
  constructor(request: ModelRequest, ports: SlotPorts) {
    this.#request = request;
    this.#ports = ports;
    this.sizeBytes = request.sizeBytes;
    this.#lastUsedMs = ports.clock.now();
    this.#loading = this.#load();
  }

  get request(): ModelRequest {
    return this.#request;
  }

  get loaded(): LoadedModel | undefined {
    return this.#loaded;
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  get state(): Occupant['state'] {
    if (this.#left) return 'leaving';
    if (this.#keepAliveMs === Infinity) return 'pinned';
    return this.#loaded && this.#active === 0 ? 'idle' : 'busy';
  }

  get status(): Resident['state'] {
    if (!this.#loaded) return 'loading';
    return this.#active > 0 ? 'busy' : 'idle';
  }

  /** Idle for as long as it was to be kept. The timer says so: the clock of a machine may be set back. */
  get expired(): boolean {
    return this.#expired || (this.#retired && this.status === 'idle');
  }

  /** How long it has been loaded; 0 if it is not. */
  get livedMs(): number {
    return this.#loaded ? this.#ports.clock.now() - this.#loadedAtMs : 0;
  }

  /** Resolves when it can be leased; rejects with what loading threw. */
  get ready(): Promise<LoadedModel> {
    return this.#loading;
  }

  /** Whether the request may have a lease now. */
  serves(request: ModelRequest): boolean {
    return (
      this.#loaded !== undefined && this.#active < places(this.#loaded) && sameConfig(this.#request, request)
    );
  }

  /** `undefined` unless `serves`. */
  lease(request: ModelRequest): Lease | undefined {
    const [model, engine] = [this.#loaded, this.#engine];
    if (!model || !engine || !this.serves(request)) return undefined;
    this.#stopExpiry();
    this.#request = request;
    this.#lastUsedMs = this.#ports.clock.now();
    this.#active++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      this.#giveBack();
    };
    return { model, engine, release };
  }

  /** A loading slot is given up, a loaded one closed. Resolves when its memory is free; never rejects. */
  leave(): Promise<void> {
    this.#stopExpiry();
    this.#left ??= atMost(this.#ports.clock, closeWithinMs, this.#close());
    if (!this.#loaded) this.#abort.abort();
    return this.#left;
  }

  /** From now on it is kept no longer than somebody uses it. */
  retire(): void {
    this.#retired = true;
  }

  describe(queued: number): Resident {
    return {
      engine: this.#engine,
      request: this.#request,
      state: this.status,
      active: this.#active,
      queued,
      loaded: this.#loaded,
      lastUsedMs: this.#lastUsedMs,
      retired: this.#retired,
      expiresAtMs: this.#expiresAtMs,
      sizeBytes: this.sizeBytes,
    };
  }

  get #keepAliveMs(): number {
    return this.#request.keepAliveMs ?? this.#ports.keepAliveMs();
  }

  async #load(): Promise<LoadedModel> {
    const opened = (engine: EngineName) => (this.#engine = engine);
    const loaded = await openAndLoad(this.#request, this.#ports, { signal: this.#abort.signal, opened });
    this.#loaded = loaded;
    this.#loadedAtMs = this.#ports.clock.now();
    return loaded;
  }

  #giveBack(): void {
    this.#active--;
    this.#lastUsedMs = this.#ports.clock.now();
    if (this.#left) return;
    this.rest();
    this.#ports.onIdle();
  }

  /** Its keep-alive begins, unless it answers or loads. */
  rest(): void {
    this.#stopExpiry();
    const keepAliveMs = this.#keepAliveMs;
    if (this.status !== 'idle' || keepAliveMs === Infinity) return;
    this.#expiresAtMs = this.#ports.clock.now() + keepAliveMs;
    this.#expireAfter(keepAliveMs);
  }

  #expireAfter(restMs: number): void {
    this.#expired = restMs <= 0;
    if (this.#expired) return;
    const timerMs = Math.min(restMs, longestTimerMs);
    this.#cancelExpiry = this.#ports.clock.after(timerMs, () => {
      this.#expireAfter(restMs - timerMs);
      this.#ports.onIdle();
    });
  }

  #stopExpiry(): void {
    this.#cancelExpiry();
    this.#expired = false;
    this.#expiresAtMs = undefined;
  }

  /** A load that was given up may still succeed. */
  async #close(): Promise<void> {
    const model = await this.#loading.catch(() => undefined);
    await model?.close().catch(this.#ports.onError);
  }
}

/** Requests that it answers at once. */
function places({ inForce }: LoadedModel): number {
  return inForce.parallel > 1 ? inForce.parallel : 1;
}
