/** llama.cpp through wllama: WASM threads on the CPU, WebGPU where the adapter has shader-f16. */
import { LogLevel, Wllama, type LoadModelParams } from '@wllama/wllama';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type {
  Engine,
  GgufModel,
  LoadableModel,
  LoadConfig,
  LoadedConfig,
  LoadedModel,
  LoadOptions,
} from '#lib/engine/port.ts';
import { chooseThreads, type Hardware } from '#lib/engine/probe.ts';
import { loadFault, notGguf } from './faults.ts';
import { LlamaCppModel } from './model.ts';
import { NativeLog, type NativeLine } from './native-log.ts';

export interface LlamaCppAssets {
  /** Absolute URLs: wllama resolves relative ones against a blob worker. */
  readonly wasmUrl: string;
  readonly compatWasmUrl: string;
  /** The text of the script for browsers without JSPI or memory64; fetched only there. */
  readonly compatScript: () => Promise<string>;
}

export interface LlamaCppOptions {
  readonly assets: LlamaCppAssets;
  readonly hardware: () => Promise<Hardware>;
  readonly clock?: Clock;
  readonly log?: (line: NativeLine) => void;
  readonly loadTimeoutMs?: number;
}

/** An abort is seen between batches only, so a batch must be short where prefill is slow. */
const cpuBatch = 128;
const gpuBatch = 512;
/** More than any model has. */
const allLayers = 99_999;
/** A smaller model computes a token faster than its threads can agree that they have. */
const threadedBytes = 32 * 1024 * 1024;

export class LlamaCppEngine implements Engine {
  readonly name = 'llama.cpp';
  readonly #assets: LlamaCppAssets;
  readonly #hardware: () => Promise<Hardware>;
  readonly #clock: Clock;
  readonly #log: (line: NativeLine) => void;
  readonly #loadTimeoutMs: number;

  constructor(options: LlamaCppOptions) {
    this.#assets = options.assets;
    this.#hardware = options.hardware;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? (() => undefined);
    this.#loadTimeoutMs = options.loadTimeoutMs ?? 300_000;
  }

  async describe(): Promise<string> {
    const plan = planOf(await this.#hardware(), Infinity, {});
    return `llama.cpp ${Wllama.getLibllamaVersion()} (${plan.device})`;
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<LoadedModel> {
    options.signal?.throwIfAborted();
    if (model.kind !== 'gguf') throw notGguf();
    const plan = planOf(await this.#hardware(), weightBytes(model), config);
    const inForce = loadedConfig(config, plan);
    const log = new NativeLog(this.#log);
    // One object per load: after exit() a reload on the same object claims to be loaded while it is not.
    const wllama = await this.#create(log);
    try {
      await this.#loadOrGiveUp(wllama, model, loadParams(model, inForce, config.thinkBudget), options.signal);
      assertLoaded(wllama);
      return new LlamaCppModel({ wllama, inForce, device: plan.device });
    } catch (thrown) {
      await wllama.exit();
      options.signal?.throwIfAborted();
      throw thrown instanceof ApiError ? thrown : loadFault(log.takeError(), thrown);
    }
  }

  async #create(log: NativeLog): Promise<Wllama> {
    const { wasmUrl, compatWasmUrl, compatScript } = this.#assets;
    const wllama = new Wllama({ default: wasmUrl }, { logger: log });
    // Without this call the package would fetch its fallback build from a public CDN.
    wllama.setCompat(hasJspi() ? null : { worker: { code: await compatScript() }, wasm: compatWasmUrl });
    return wllama;
  }

  /** wllama never settles when its wasm or worker cannot start, and has no other cancel than `exit`. */
  #loadOrGiveUp(
    wllama: Wllama,
    model: GgufModel,
    params: LoadModelParams,
    signal?: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const cancelTimer = this.#clock.after(this.#loadTimeoutMs, () =>
        reject(loadingTimeout(this.#loadTimeoutMs)),
      );
      const onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      wllama
        .loadModel([...model.weights], params)
        .then(resolve, reject)
        .finally(() => {
          cancelTimer();
          signal?.removeEventListener('abort', onAbort);
        });
    });
  }
}

interface Plan {
  readonly gpu: boolean;
  readonly threads: number;
  readonly device: string;
}

/** llama.cpp's WebGPU backend registers only adapters with shader-f16, and needs JSPI; else it would silently use the CPU. */
function planOf(hardware: Hardware, bytes: number, wanted: Pick<LoadConfig, 'threads' | 'gpuLayers'>): Plan {
  const threads = threadsOf(hardware, bytes, wanted.threads);
  if (hardware.gpu?.f16 && hasJspi() && wanted.gpuLayers !== 0) {
    return { gpu: true, threads, device: `GPU, ${hardware.gpu.name}` };
  }
  return { gpu: false, threads, device: threads === 1 ? 'CPU, 1 thread' : `CPU, ${threads} threads` };
}

/** Without isolation there is one thread whatever is wanted, and more than there are cores only slow each other down. */
function threadsOf(hardware: Hardware, bytes: number, wanted: number | undefined): number {
  if (wanted !== undefined) return hardware.isolated ? Math.min(wanted, Math.max(1, hardware.cores)) : 1;
  return bytes < threadedBytes ? 1 : chooseThreads(hardware);
}

function loadedConfig(config: LoadConfig, { gpu, threads }: Plan): LoadedConfig {
  const {
    contextSize,
    gpuLayers = allLayers,
    cacheTypeK = 'f16',
    cacheTypeV = 'f16',
    flashAttention = true,
  } = config;
  return { contextSize, gpuLayers: gpu ? gpuLayers : 0, threads, cacheTypeK, cacheTypeV, flashAttention };
}

function loadParams(
  model: GgufModel,
  config: LoadedConfig,
  thinkBudget: number | undefined,
): LoadModelParams {
  // 0 also keeps the worker from creating a GPU device at all.
  const batch = Math.min(config.contextSize, config.gpuLayers > 0 ? gpuBatch : cpuBatch);
  return {
    log_level: LogLevel.INFO,
    n_ctx: config.contextSize,
    n_batch: batch,
    n_ubatch: batch,
    n_parallel: 1,
    n_threads: config.threads,
    n_gpu_layers: config.gpuLayers,
    cache_type_k: config.cacheTypeK,
    cache_type_v: config.cacheTypeV,
    flash_attn: config.flashAttention,
    // The host prompt cache may grow to 8 GiB inside a 4 GiB heap and has no option for its size.
    cache_idle_slots: false,
    ...(thinkBudget === undefined ? {} : { reasoning_budget_tokens: thinkBudget }),
    ...(model.chatTemplate === undefined ? {} : { chat_template: model.chatTemplate }),
  };
}

function weightBytes(model: GgufModel): number {
  return model.weights.reduce((sum, blob) => sum + blob.size, 0);
}

/** `loadModel` resolves even when llama.cpp rejected the file. */
function assertLoaded(wllama: Wllama): void {
  const info = wllama.getLoadedContextInfo();
  const succeeded = 'success' in info && info.success === true;
  if (!succeeded || info.n_vocab === 0) throw new Error('llama.cpp rejected the model');
}

function hasJspi(): boolean {
  return 'Suspending' in WebAssembly;
}

function loadingTimeout(ms: number): ApiError {
  return new ApiError('loading_timeout', `The model did not load within ${ms / 1000} seconds. Try again.`);
}
