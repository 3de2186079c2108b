/** One tab hosts the engine: the one that holds `llm-host`. It keeps a worker alive, or steps down. */
import { sleep } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { reachDirectly } from './direct-line.ts';
import { answersPing, findEngine, waitForEngine } from './discovery.ts';
import { bridgeOf, type Bridge, type BridgeOptions } from './environment.ts';
import { holdLock, released, type HeldLock } from './locks.ts';
import { controlChannelName, hostLockName, type ControlMessage } from './protocol.ts';

export type HostState =
  /** Another tab hosts the engine, or the election is not over. */
  | { readonly kind: 'follower' }
  /** This tab's worker is coming up, for the `attempt`th time. */
  | { readonly kind: 'starting'; readonly attempt: number }
  | { readonly kind: 'hosting'; readonly engineId: string }
  /** The worker died too often; this tab takes no part until `restart`. */
  | { readonly kind: 'down'; readonly reason: ApiError };

export interface HostOptions extends BridgeOptions {
  /** `engineId` must become the worker's `name`: it tells the page which engine lock is its own worker's. */
  readonly createWorker: (engineId: string) => Worker;
  /** Whether a person looks at this tab. Only such a tab may take over from one that does not answer. */
  readonly isVisible?: (() => boolean) | undefined;
}

const respawnDelaysMs = [0, 1000, 5000];
/** After so long a worker counts as healthy, and its next death as the first. */
const healthyMs = 60_000;
const startMs = 30_000;
const takeOverPingMs = 2000;

/** Takes part in the election from its construction on. */
export class Host {
  readonly #options: HostOptions;
  readonly #bridge: Bridge;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #queueing = new AbortController();
  #mayStealNext = false;
  #state: HostState = { kind: 'follower' };
  #running: Promise<void>;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#bridge = bridgeOf(options);
    this.#running = this.#run();
  }

  get state(): HostState {
    return this.#state;
  }

  /** Calls `listener` after every change of `state`; returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes part again after `down`. */
  restart(): void {
    if (this.#state.kind === 'down') this.#running = this.#run();
  }

  /**
   * For a visible tab that was answered `host_stalled`: asks the engine once more and, if it is silent, takes the
   * election from its tab. Resolves with whether it did. The frozen engine is outranked by the epoch of the new one.
   */
  async takeOver(): Promise<boolean> {
    const { isVisible = () => true } = this.#options;
    if (this.#state.kind !== 'follower' || !isVisible()) return false;
    const engine = await findEngine(this.#bridge);
    if (!engine || (await answersPing(this.#bridge, engine, takeOverPingMs))) return false;
    this.#mayStealNext = true;
    this.#queueing.abort();
    return true;
  }

  /** Terminates the worker and frees the host lock. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#set({ kind: 'follower' });
      const lock = await this.#elect();
      if (!lock) continue;
      // Granted after all, in the moment in which it was to be stolen.
      this.#mayStealNext = false;
      const outcome = await this.#reign(lock);
      lock.release();
      if (outcome === 'gave up') {
        this.#stepDown();
        return;
      }
    }
  }

  /** `undefined` when the wait was ended by `close` or `takeOver`. */
  async #elect(): Promise<HeldLock | undefined> {
    const { locks, scope } = this.#bridge;
    const steal = this.#mayStealNext;
    this.#mayStealNext = false;
    if (steal) return holdLock(locks, hostLockName(scope), { steal: true });
    this.#queueing = new AbortController();
    const signal = AbortSignal.any([this.#queueing.signal, this.#closing.signal]);
    try {
      return await holdLock(locks, hostLockName(scope), { signal });
    } catch (thrown) {
      if (signal.aborted) return undefined;
      throw thrown;
    }
  }

  /** Keeps a worker running until the lock is stolen, the host is closed, or the worker has died too often. */
  async #reign(lock: HeldLock): Promise<'over' | 'gave up'> {
    const { clock } = this.#bridge;
    const stolen = new AbortController();
    void lock.stolen.then(() => stolen.abort());
    const signal = AbortSignal.any([stolen.signal, this.#closing.signal]);
    let deaths = 0;
    while (!signal.aborted) {
      this.#set({ kind: 'starting', attempt: deaths + 1 });
      const startedAtMs = clock.now();
      if (!(await this.#runWorker(signal))) break;
      if (clock.now() - startedAtMs >= healthyMs) deaths = 0;
      const delayMs = respawnDelaysMs[deaths++];
      if (delayMs === undefined) return 'gave up';
      // Only an abort rejects it, and the next turn sees that.
      await sleep(clock, delayMs, signal).catch(() => undefined);
    }
    return 'over';
  }

  /** Resolves when the worker has died, or with `false` when `signal` aborted; either way the worker is gone then. */
  async #runWorker(signal: AbortSignal): Promise<boolean> {
    const engineId = crypto.randomUUID();
    const broken = new AbortController();
    const worker = this.#options.createWorker(engineId);
    worker.addEventListener('error', () => broken.abort());
    let forget: () => void = () => undefined;
    try {
      const engine = await this.#started(engineId, AbortSignal.any([signal, broken.signal]));
      if (!engine) return !signal.aborted;
      forget = reachDirectly(this.#bridge, engine, worker);
      this.#set({ kind: 'hosting', engineId });
      await released(this.#bridge.locks, engine.name, signal);
      return !signal.aborted;
    } finally {
      forget();
      worker.terminate();
    }
  }

  /** The worker's engine lock; `undefined` if it failed to come up. */
  async #started(engineId: string, signal: AbortSignal) {
    try {
      return await waitForEngine(this.#bridge, { timeoutMs: startMs, engineId, signal });
    } catch (thrown) {
      if (signal.aborted) return undefined;
      throw thrown;
    }
  }

  #stepDown(): void {
    const channel = new BroadcastChannel(controlChannelName(this.#bridge.scope));
    const message: ControlMessage = { type: 'host-down' };
    channel.postMessage(message);
    channel.close();
    const reason = new ApiError(
      'engine_unavailable',
      'The engine stopped several times in a row in this tab. Reload the page, and try a smaller model.',
    );
    this.#set({ kind: 'down', reason });
  }

  #set(state: HostState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
