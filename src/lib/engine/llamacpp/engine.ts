/** llama.cpp through wllama: on the CPU with our own build or the package's, WebGPU where the adapter has shader-f16. */
import { Wllama } from '@wllama/wllama';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import type { Signal } from '#lib/core/observable.ts';
import type {
  Engine,
  GgufModel,
  LoadableModel,
  LoadConfig,
  LoadedModel,
  LoadOptions,
} from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import type { ComputeJson, CpuBuild } from '#lib/model/wire.ts';
import type { LlamaCppAssets } from './builds.ts';
import { isNativeException, notGguf } from './faults.ts';
import { readFacts } from './file-facts.ts';
import { loadModel, Rejected, type LoadingPorts, type LoadOrder } from './loading.ts';
import type { NativeLine } from './native-log.ts';
import { OwnBuilds, type OwnBuild } from './own-builds.ts';
import { describePlan, packageWords, planOf, type Browser, type Machine, type Plan } from './plan.ts';
import type { Locks } from './worker-watch.ts';

export interface LlamaCppOptions {
  readonly assets: LlamaCppAssets;
  readonly hardware: () => Promise<Hardware>;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly locks?: Locks;
  /** The build for the CPU that a person pinned. */
  readonly cpuBuild?: () => 'auto' | CpuBuild;
  readonly log?: (line: NativeLine) => void;
  readonly loadTimeoutMs?: number;
}

export class LlamaCppEngine implements Engine {
  readonly name = 'llama.cpp';
  readonly #hardware: () => Promise<Hardware>;
  readonly #ports: LoadingPorts;
  readonly #ownBuilds: OwnBuilds;
  readonly #cpuBuild: () => 'auto' | CpuBuild;

  constructor(options: LlamaCppOptions) {
    const { assets, hardware, log = () => undefined, clock = systemClock, locks = navigator.locks } = options;
    this.#hardware = hardware;
    this.#cpuBuild = options.cpuBuild ?? (() => 'auto');
    this.#ports = { assets, clock, locks, log, loadTimeoutMs: options.loadTimeoutMs ?? 300_000 };
    this.#ownBuilds = new OwnBuilds({
      manifestUrl: assets.ownBuildsUrl,
      fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
      wish: this.#cpuBuild,
      onFailure: (text) => log({ level: 'warn', text }),
    });
  }

  /** Of the build that computes on the CPU, for people: "relaxed SIMD". */
  async wasmBuild(): Promise<string> {
    const words = (await this.#ownBuilds.words()) ?? packageWords(browser());
    return this.#cpuBuild() === 'package' ? `${words}, pinned` : words;
  }

  /** All builds that compute on the CPU, and which this browser lacks. */
  wasmBuilds(): Promise<ComputeJson['wasm_builds']> {
    return this.#ownBuilds.choices();
  }

  /** `wasmBuild` answers something else from now on. */
  get wasmBuildChanged(): Signal {
    return this.#ownBuilds.changed;
  }

  async describe(): Promise<string> {
    const plan = await this.#plan({ bytes: Infinity });
    const words = plan.gpu ? undefined : await this.wasmBuild();
    return `llama.cpp ${Wllama.getLibllamaVersion()} (${describePlan(plan, words)})`;
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<LoadedModel> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (model.kind !== 'gguf') throw notGguf();
    const facts = await readFacts(model);
    const load = { bytes: weightBytes(model), hasSenses: model.projector !== undefined };
    const plan = await this.#plan(load, config);
    const order = { model, config, facts, plan, signal };
    const own = plan.gpu ? undefined : await this.#ownBuilds.take(model.id);
    return own ? this.#loadOnOwn(own, order) : loadModel(order, this.#ports);
  }

  /** What our build cannot load, the package's may; if that cannot either, it is the model's fault and not the build's. */
  async #loadOnOwn(own: OwnBuild, order: LoadOrder): Promise<LoadedModel> {
    const { model, signal } = order;
    try {
      const loaded = await loadModel({ ...order, own }, this.#ports);
      void loaded.lost.then((reason) => this.#ownBuilds.leaveAside(model.id, reason));
      return loaded;
    } catch (thrown) {
      signal?.throwIfAborted();
      const loaded = await loadModel(order, this.#ports);
      const reason = reasonOf(thrown);
      const isModel = reason instanceof Rejected || isNativeException(reason);
      if (isModel) this.#ownBuilds.leaveAside(model.id, reason);
      else this.#ownBuilds.giveUp(reason);
      return loaded;
    }
  }

  async #plan(load: Pick<Machine, 'bytes' | 'hasSenses'>, config?: LoadConfig): Promise<Plan> {
    return planOf({ hardware: await this.#hardware(), browser: browser(), ...load }, config);
  }
}

/** What an `ApiError` was made of. */
function reasonOf(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return error.cause instanceof Error ? error.cause : error;
}

function weightBytes({ weights }: GgufModel): number {
  return weights.reduce((sum, blob) => sum + blob.size, 0);
}

function browser(): Browser {
  const jspi = 'Suspending' in WebAssembly;
  return { jspi, slowCompat: !jspi && navigator.userAgent.includes('Firefox/') };
}
