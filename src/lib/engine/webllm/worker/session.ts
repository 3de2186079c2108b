/** The inside of a WebLLM worker: one engine with one model, from its load until the worker is terminated. */
import { MLCEngine, ModelType, type ChatOptions } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import { loadFault, lostFault, requestFault } from '#lib/engine/webllm/faults.ts';
import { needsF16, type Span } from '#lib/engine/webllm/plan.ts';
import type { LoadOrder, Tell, WebLlmWorker } from '#lib/engine/webllm/worker-api.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import { checkAdapter, type AdapterSource } from './adapter-check.ts';
import { Answerer } from './answer.ts';
import { passThrough } from './conversation.ts';
import { DeviceWatch, type DeviceSource } from './device-watch.ts';
import { LoadProgress } from './load-progress.ts';
import { libraryUrl, modelUrl, serveFiles, type NetworkScope } from './network.ts';
import { pipelineOf, type Pipeline } from './pipeline.ts';
import { promptForm } from './prompt.ts';

export interface SessionOptions {
  readonly scope: NetworkScope;
  readonly gpu: AdapterSource;
  readonly devices: DeviceSource;
  readonly locks: Pick<LockManager, 'request'>;
}

export class WebLlmSession implements WebLlmWorker {
  readonly #options: SessionOptions;
  #answerer: Answerer | undefined;
  #tell: Tell = () => undefined;
  #running: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  holdLock(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const hold = () => {
        resolve();
        return new Promise<never>(() => undefined);
      };
      this.#options.locks.request(name, hold).catch(reject);
    });
  }

  async load(order: LoadOrder, tell: Tell): Promise<void> {
    this.#tell = tell;
    const watch = new DeviceWatch(this.#options.devices, () => tell({ type: 'lost' }));
    try {
      this.#answerer = await this.#load(order);
    } catch (thrown) {
      throw loadFault(watch.lost ? lostFault(thrown) : thrown);
    }
  }

  async chat(request: ChatRequest): Promise<void> {
    if (!this.#answerer) throw new ApiError('internal', 'The model is not loaded. Load it first.');
    const abort = new AbortController();
    this.#running = abort;
    let received: unknown;
    try {
      for await (const event of this.#answerer.answer(request, abort.signal)) {
        if (abort.signal.aborted) break;
        received = this.#tell({ type: 'chat', event });
      }
    } catch (thrown) {
      throw requestFault(thrown);
    } finally {
      await received;
      this.#running = undefined;
    }
  }

  abort(): void {
    this.#running?.abort();
  }

  async #load(order: LoadOrder): Promise<Answerer> {
    const { id, config, files, span, prefillChunk } = order;
    await checkAdapter(this.#options.gpu);
    const form = await promptForm(order);
    serveFiles(this.#options.scope, files, order.library);
    const engine = this.#engine(order);
    await engine.reload(id, { ...loadOptions(order), ...passThrough(config, form.prefixTokens) });
    const pipeline = pipelineOf(engine, id);
    if (!pipeline) throw new Error('WebLLM gave up the load');
    if (prefillChunk !== undefined) shortenPrefill(pipeline, prefillChunk);
    return new Answerer({ engine, pipeline, form, span, stopTexts: config.conversation.stopTexts });
  }

  #engine({ id, config }: LoadOrder): MLCEngine {
    const progress = new LoadProgress();
    return new MLCEngine({
      logLevel: 'WARN',
      appConfig: {
        model_list: [
          {
            model: modelUrl,
            model_id: id,
            model_lib: libraryUrl,
            model_type: ModelType.LLM,
            required_features: needsF16(config) ? ['shader-f16'] : [],
          },
        ],
      },
      initProgressCallback: (report) =>
        this.#tell({ type: 'progress', fraction: progress.add(report.progress) }),
    });
  }
}

function loadOptions({ config: { sampling }, span }: LoadOrder): ChatOptions {
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    repetition_penalty: sampling.repetitionPenalty,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    ...spanOptions(span),
  };
}

/** -1 is WebLLM's word for the one that is not used. */
function spanOptions(span: Span): ChatOptions {
  return span.kind === 'context'
    ? { context_window_size: span.tokens, sliding_window_size: -1 }
    : { context_window_size: -1, sliding_window_size: span.tokens, attention_sink_size: span.attentionSink };
}

function shortenPrefill(pipeline: Pipeline, tokens: number): void {
  pipeline.prefillChunkSize = Math.max(1, Math.min(tokens, pipeline.prefillChunkSize));
}
