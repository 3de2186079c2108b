/** WebLLM: MLC models on the GPU through WebGPU, each in a worker of its own. */
import { version } from '@mlc-ai/web-llm/package.json';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Engine, LoadableModel, LoadConfig, LoadedModel, LoadOptions } from '#lib/engine/port.ts';
import type { Hardware } from '#lib/engine/probe.ts';
import { loadFault } from './faults.ts';
import { WebLlmLink, type Locks } from './link.ts';
import { WebLlmModel } from './model.ts';
import { readPackage } from './package.ts';
import { describeGpu, loadedConfig, planMode, planSpan, requireFeatures, requireGpu } from './plan.ts';
import type { LoadOrder } from './worker-api.ts';

export interface WebLlmOptions {
  /** Starts `webllm.worker.ts`. */
  readonly createWorker: () => Worker;
  readonly locks: Locks;
  readonly hardware: () => Promise<Hardware>;
  readonly clock?: Clock;
  /** How long a load may go on without any progress: some drivers compile shaders for minutes. */
  readonly stallMs?: number;
}

export class WebLlmEngine implements Engine {
  readonly name = 'webllm';
  readonly #createWorker: () => Worker;
  readonly #locks: Locks;
  readonly #hardware: () => Promise<Hardware>;
  readonly #clock: Clock;
  readonly #stallMs: number;

  constructor(options: WebLlmOptions) {
    this.#createWorker = options.createWorker;
    this.#locks = options.locks;
    this.#hardware = options.hardware;
    this.#clock = options.clock ?? systemClock;
    this.#stallMs = options.stallMs ?? 300_000;
  }

  async describe(): Promise<string> {
    return `WebLLM ${version} (${describeGpu(await this.#hardware())})`;
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<LoadedModel> {
    options.signal?.throwIfAborted();
    if (model.kind !== 'mlc') throw notMlc();
    const hardware = await this.#hardware();
    const device = requireGpu(hardware);
    const files = await readPackage(model.files);
    requireFeatures(files.config, hardware);
    options.signal?.throwIfAborted();
    const mode = planMode(files.config, config);
    const span = planSpan(files.config, config);
    const { id, chatTemplate } = model;
    const { prefillChunk, thinkBudget } = config;
    const order = { ...files, id, chatTemplate, span, prefillChunk, thinkBudget };
    const link = await this.#start(order, options);
    return new WebLlmModel({ link, device, inForce: loadedConfig(files.config, span, mode) });
  }

  async #start(order: LoadOrder, options: LoadOptions): Promise<WebLlmLink> {
    const link = new WebLlmLink(this.#createWorker(), this.#locks, order.span.tokens);
    try {
      await this.#loadOrGiveUp(link, order, options);
      return link;
    } catch (thrown) {
      link.terminate(new ApiError('aborted', 'The model was not loaded.'));
      options.signal?.throwIfAborted();
      throw loadFault(thrown);
    }
  }

  #loadOrGiveUp(link: WebLlmLink, order: LoadOrder, { signal, onProgress }: LoadOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const patience = () => this.#clock.after(this.#stallMs, () => reject(stalled(this.#stallMs)));
      let cancelTimer = patience();
      const onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      const onStep = (fraction: number) => {
        cancelTimer();
        cancelTimer = patience();
        onProgress?.(fraction);
      };
      link
        .load(order, onStep)
        .then(resolve, reject)
        .finally(() => {
          cancelTimer();
          signal?.removeEventListener('abort', onAbort);
        });
    });
  }
}

function notMlc(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    'WebLLM runs MLC models only. Choose the model’s MLC variant, or the llama.cpp engine.',
  );
}

function stalled(ms: number): ApiError {
  return new ApiError(
    'loading_timeout',
    `The model did not get any further in loading for ${ms / 1000} seconds. Try again.`,
  );
}
