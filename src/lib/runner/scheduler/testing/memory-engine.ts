/** An engine of which only the memory is real: it knows what is loaded, how often it was closed, and who broke a rule. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type {
  Embeddings,
  Engine,
  LoadableModel,
  LoadConfig,
  LoadedConfig,
  LoadedModel,
  LoadOptions,
  Ranking,
} from '#lib/engine/port.ts';
import type { ChatEvent } from '#lib/openai/events.ts';

/** How one load goes. */
export interface LoadScript {
  readonly loadMs?: number;
  readonly closeMs?: number;
  /** What it ends with instead of a model. */
  readonly failure?: Error;
  /** The engine dies by itself so long after it was loaded. */
  readonly diesAfterMs?: number;
  /** What an abort does while it loads: it stops at once, or loads on and delivers a model that nobody wants. */
  readonly onAbort?: 'stop' | 'ignore';
}

export interface MemoryEngineOptions {
  readonly clock: Clock;
  /** `nth` counts loads from 0. */
  readonly script?: (nth: number, model: LoadableModel) => LoadScript;
}

export class MemoryEngine implements Engine {
  readonly name = 'llama.cpp';
  /** Every load that ever began, in order. */
  readonly loads: MemoryModel[] = [];
  /** Called when a load begins and has its place in `loads`. */
  onLoad: (model: MemoryModel) => void = () => undefined;
  /** Called when a model is closed, each time. */
  onClose: (model: MemoryModel) => void = () => undefined;
  readonly #options: MemoryEngineOptions;

  constructor(options: MemoryEngineOptions) {
    this.#options = options;
  }

  /** Those that take memory: being loaded, loaded, or not closed to the end. */
  get held(): readonly MemoryModel[] {
    return this.loads.filter(({ state }) => state === 'held');
  }

  describe(): Promise<string> {
    return Promise.resolve('memory only');
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<MemoryModel> {
    const script = this.#options.script?.(this.loads.length, model) ?? {};
    const loaded = new MemoryModel(model.id, config, script, this.#options.clock, (closed) =>
      this.onClose(closed),
    );
    this.loads.push(loaded);
    this.onLoad(loaded);
    try {
      const signal = script.onAbort === 'ignore' ? undefined : options.signal;
      if (script.loadMs) await sleep(this.#options.clock, script.loadMs, signal);
      signal?.throwIfAborted();
      if (script.failure) throw script.failure;
    } catch (thrown) {
      loaded.state = 'failed';
      throw thrown;
    }
    loaded.begin();
    return loaded;
  }
}

export class MemoryModel implements LoadedModel {
  readonly id: string;
  readonly contextSize: number;
  readonly device = 'nowhere';
  readonly inForce: LoadedConfig;
  readonly lost: Promise<Error>;
  state: 'held' | 'freed' | 'failed' = 'held';
  closes = 0;
  dead = false;
  /** Requests that use it now and that ever did, as the test counts them. */
  leases = 0;
  served = 0;
  #report: (error: Error) => void = () => undefined;
  readonly #clock: Clock;
  readonly #script: LoadScript;
  readonly #onClose: (model: MemoryModel) => void;

  constructor(
    id: string,
    config: LoadConfig,
    script: LoadScript,
    clock: Clock,
    onClose: (model: MemoryModel) => void,
  ) {
    this.#onClose = onClose;
    const { contextSize, mode = 'completion', parallel = 1 } = config;
    this.id = id;
    this.contextSize = contextSize;
    this.inForce = {
      contextSize,
      mode,
      parallel,
      gpuLayers: 0,
      threads: 1,
      cacheTypeK: 'f16',
      cacheTypeV: 'f16',
      flashAttention: false,
    };
    this.#script = script;
    this.#clock = clock;
    this.lost = new Promise((resolve) => (this.#report = resolve));
  }

  /** It is loaded: its own life begins. */
  begin(): void {
    const { diesAfterMs } = this.#script;
    if (diesAfterMs !== undefined) this.#clock.after(diesAfterMs, () => this.die());
  }

  die(): void {
    this.dead = true;
    if (this.closes === 0) this.#report(lostError());
  }

  chat(): AsyncIterable<ChatEvent> {
    throw new Error('It only takes memory.');
  }

  complete(): AsyncIterable<ChatEvent> {
    throw new Error('It only takes memory.');
  }

  embed(): Promise<Embeddings> {
    return Promise.reject(new Error('It only takes memory.'));
  }

  rerank(): Promise<Ranking> {
    return Promise.reject(new Error('It only takes memory.'));
  }

  async close(): Promise<void> {
    this.closes++;
    this.#onClose(this);
    if (this.#script.closeMs) await sleep(this.#clock, this.#script.closeMs);
    this.state = 'freed';
  }
}

export function lostError(): ApiError {
  return new ApiError('device_lost', 'The engine stopped.');
}
