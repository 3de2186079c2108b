/** llama.cpp through wllama: WASM threads on the CPU, WebGPU where the adapter has shader-f16. */
import { Wllama, type LoadModelParams } from '@wllama/wllama';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type {
  Engine,
  GgufModel,
  LoadableModel,
  LoadConfig,
  LoadedModel,
  LoadOptions,
} from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import { fillTokensOf } from '#lib/model/fill-tokens.ts';
import { virtualShards } from '#lib/model/gguf-shards.ts';
import { CompatWllama } from './compat-wllama.ts';
import { loadFault, notGguf } from './faults.ts';
import { readFacts, tokenTexts, type FileFacts } from './file-facts.ts';
import { watchOver } from './life.ts';
import { loadedConfig, loadParams } from './load-params.ts';
import { LlamaCppModel, type LlamaCppModelOptions } from './model.ts';
import { NativeLog, type NativeLine } from './native-log.ts';
import { describePlan, planOf, type Browser, type Build } from './plan.ts';
import type { Locks } from './worker-tap.ts';

export interface LlamaCppAssets {
  /** Absolute URLs: wllama resolves relative ones against a blob worker. */
  readonly wasmUrl: string;
  readonly compatWasmUrl: string;
  /** The text of the script of the compat build; fetched only where it is used. */
  readonly compatScript: () => Promise<string>;
}

export interface LlamaCppOptions {
  readonly assets: LlamaCppAssets;
  readonly hardware: () => Promise<Hardware>;
  readonly clock?: Clock;
  readonly locks?: Locks;
  readonly log?: (line: NativeLine) => void;
  readonly loadTimeoutMs?: number;
}

export class LlamaCppEngine implements Engine {
  readonly name = 'llama.cpp';
  readonly #assets: LlamaCppAssets;
  readonly #hardware: () => Promise<Hardware>;
  readonly #clock: Clock;
  readonly #locks: Locks;
  readonly #log: (line: NativeLine) => void;
  readonly #loadTimeoutMs: number;

  constructor(options: LlamaCppOptions) {
    this.#assets = options.assets;
    this.#hardware = options.hardware;
    this.#clock = options.clock ?? systemClock;
    this.#locks = options.locks ?? navigator.locks;
    this.#log = options.log ?? (() => undefined);
    this.#loadTimeoutMs = options.loadTimeoutMs ?? 300_000;
  }

  async describe(): Promise<string> {
    const plan = planOf({ hardware: await this.#hardware(), browser: browser(), bytes: Infinity });
    return `llama.cpp ${Wllama.getLibllamaVersion()} (${describePlan(plan)})`;
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<LoadedModel> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (model.kind !== 'gguf') throw notGguf();
    const facts = await readFacts(model);
    const machine = { hardware: await this.#hardware(), browser: browser(), bytes: weightBytes(model) };
    const plan = planOf(machine, config);
    const inForce = loadedConfig(config, facts, plan);
    const files = { ...model, weights: await virtualShards(model.weights) };
    const params = loadParams(files, config, facts, inForce);
    const log = new NativeLog(this.#log);
    const wllama = await this.#create(log, plan.build);
    const life = watchOver(wllama, this.#locks, log);
    try {
      signal?.throwIfAborted();
      await this.#loadOrGiveUp(wllama, files, params, { signal, lost: life.lost });
      assertLoaded(wllama);
    } catch (thrown) {
      await life.end();
      signal?.throwIfAborted();
      throw thrown instanceof ApiError ? thrown : loadFault(log.takeErrors(), thrown);
    }
    const device = describePlan(plan);
    return new LlamaCppModel({ wllama, inForce, device, log, ...life, fillTokens: fillTokens(model, facts) });
  }

  /** One object per load: after exit() a reload on the same object claims to be loaded while it is not. */
  async #create(logger: NativeLog, build: Build): Promise<Wllama> {
    const { wasmUrl, compatWasmUrl, compatScript } = this.#assets;
    if (build === 'default') {
      const wllama = new Wllama({ default: wasmUrl }, { logger });
      // Without this call the package would fetch its fallback build from a public CDN.
      wllama.setCompat(null);
      return wllama;
    }
    return new CompatWllama({ code: await compatScript(), wasmUrl: compatWasmUrl }, { logger });
  }

  /** wllama never settles when its wasm or worker cannot start, and has no other cancel than `exit`. */
  #loadOrGiveUp(
    wllama: Wllama,
    model: GgufModel,
    params: LoadModelParams,
    { signal, lost }: { signal?: AbortSignal | undefined; lost: Promise<Error> },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#clock.after(this.#loadTimeoutMs, () =>
        reject(loadingTimeout(this.#loadTimeoutMs)),
      );
      const onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      void lost.then(reject);
      wllama
        .loadModel(filesOf(model), params)
        .then(resolve, reject)
        .finally(() => {
          cancelTimer();
          signal?.removeEventListener('abort', onAbort);
        });
    });
  }
}

/** wllama tells them apart: a projector by its content, adapters by their place behind the weights. */
function filesOf({ weights, adapters = [], projector }: GgufModel): Blob[] {
  return [...weights, ...adapters, ...(projector ? [projector] : [])];
}

function fillTokens({ weights }: GgufModel, { header }: FileFacts): LlamaCppModelOptions['fillTokens'] {
  let found: ReturnType<LlamaCppModelOptions['fillTokens']> | undefined;
  const find = async () =>
    fillTokensOf(header.metadata, weights[0] ? await tokenTexts(weights[0], header) : []);
  return () => (found ??= find());
}

function weightBytes({ weights }: GgufModel): number {
  return weights.reduce((sum, blob) => sum + blob.size, 0);
}

/** `loadModel` resolves even when llama.cpp rejected the file. */
function assertLoaded(wllama: Wllama): void {
  const info = wllama.getLoadedContextInfo();
  const succeeded = 'success' in info && info.success === true;
  if (!succeeded || info.n_vocab === 0) throw new Error('llama.cpp rejected the model');
}

function browser(): Browser {
  const jspi = 'Suspending' in WebAssembly;
  return { jspi, slowCompat: !jspi && navigator.userAgent.includes('Firefox/') };
}

function loadingTimeout(ms: number): ApiError {
  return new ApiError('loading_timeout', `The model did not load within ${ms / 1000} seconds. Try again.`);
}
