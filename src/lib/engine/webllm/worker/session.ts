/** The inside of a WebLLM worker: one engine with one model, from its load until the worker is terminated. */
import { MLCEngine, ModelType, type ChatOptions } from '@mlc-ai/web-llm';
import { ApiError } from '#lib/core/errors.ts';
import { readPicture } from '#lib/engine/pictures/read.ts';
import type { ChatConfig } from '#lib/engine/webllm/chat-config.ts';
import { cannot, loadFault, lostFault, requestFault } from '#lib/engine/webllm/faults.ts';
import { needsF16, type Span } from '#lib/engine/webllm/plan.ts';
import type { LoadOrder, Tell, WebLlmWorker } from '#lib/engine/webllm/worker-api.ts';
import type { EmbedInput, Embeddings } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { checkAdapter, type AdapterSource } from './adapter-check.ts';
import { Answerer } from './answer.ts';
import { passThrough } from './conversation.ts';
import { DeviceWatch, type DeviceSource } from './device-watch.ts';
import { Embedder } from './embedder.ts';
import { LoadProgress } from './load-progress.ts';
import { libraryUrl, modelUrl, serve, type NetworkScope } from './network.ts';
import { PictureShelf } from './pictures.ts';
import { pipelineOf, vectorPipelineOf, type Pipeline } from './pipeline.ts';
import { promptForm } from './prompt.ts';

export interface SessionOptions {
  readonly scope: NetworkScope;
  readonly gpu: AdapterSource;
  readonly devices: DeviceSource;
  readonly locks: Pick<LockManager, 'request'>;
}

type Served =
  | { readonly kind: 'text'; readonly answerer: Answerer }
  | { readonly kind: 'vectors'; readonly embedder: Embedder };

export class WebLlmSession implements WebLlmWorker {
  readonly #options: SessionOptions;
  #served: Served | undefined;
  #contextSize: number | undefined;
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
    this.#contextSize = order.span.tokens;
    const watch = new DeviceWatch(this.#options.devices, () => tell({ type: 'lost' }));
    try {
      this.#served = await this.#load(order);
    } catch (thrown) {
      throw loadFault(watch.lost ? lostFault(thrown) : thrown);
    }
  }

  chat(request: ChatRequest): Promise<void> {
    return this.#answer((answerer, signal) => answerer.chat(request, signal));
  }

  complete(request: CompletionRequest): Promise<void> {
    return this.#answer((answerer, signal) => answerer.complete(request, signal));
  }

  async embed(inputs: readonly EmbedInput[]): Promise<Embeddings> {
    const served = this.#loaded;
    if (served.kind !== 'vectors') throw cannot('embed');
    return this.#run((signal) => served.embedder.embed(inputs, signal));
  }

  abort(): void {
    this.#running?.abort();
  }

  get #loaded(): Served {
    if (!this.#served) throw new ApiError('internal', 'The model is not loaded. Load it first.');
    return this.#served;
  }

  async #answer(ask: (answerer: Answerer, signal: AbortSignal) => AsyncIterable<ChatEvent>): Promise<void> {
    const served = this.#loaded;
    if (served.kind !== 'text') throw cannot('chat');
    let received: unknown;
    await this.#run(async (signal) => {
      try {
        for await (const event of ask(served.answerer, signal)) {
          if (signal.aborted) break;
          received = this.#tell({ type: 'chat', event });
        }
      } finally {
        await received;
      }
    });
  }

  async #run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.#running = abort;
    try {
      return await work(abort.signal);
    } catch (thrown) {
      throw requestFault(thrown, this.#contextSize, abort.signal);
    } finally {
      this.#running = undefined;
    }
  }

  async #load(order: LoadOrder): Promise<Served> {
    const { id, config, files, span } = order;
    await checkAdapter(this.#options.gpu);
    const form = await promptForm(order);
    const shelf = config.sees ? new PictureShelf(readPicture) : undefined;
    serve(this.#options.scope, { files, library: order.library, shelf });
    const engine = this.#engine(order);
    await engine.reload(id, { ...loadOptions(order), ...passThrough(config, form.prefixTokens) });
    if (config.purpose === 'vectors') {
      const pipeline = present(vectorPipelineOf(engine, id));
      const embedder = new Embedder({ engine, pipeline, vocabularySize: config.vocabularySize });
      return { kind: 'vectors', embedder };
    }
    const pipeline = present(pipelineOf(engine, id));
    if (order.prefillChunk !== undefined) shortenPrefill(pipeline, order.prefillChunk);
    const { stopTexts } = config.conversation;
    const answerer = new Answerer({
      engine,
      pipeline,
      form,
      span,
      stopTexts,
      thinkBudget: order.thinkBudget,
      shelf,
    });
    return { kind: 'text', answerer };
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
            model_type: modelType(config),
            required_features: needsF16(config) ? ['shader-f16'] : [],
          },
        ],
      },
      initProgressCallback: (report) =>
        this.#tell({ type: 'progress', fraction: progress.add(report.progress) }),
    });
  }
}

function modelType({ purpose, sees }: ChatConfig): ModelType {
  if (purpose === 'vectors') return ModelType.embedding;
  return sees ? ModelType.VLM : ModelType.LLM;
}

/** `reload` resolves also when it gave up. */
function present<T>(pipeline: T | undefined): T {
  if (pipeline) return pipeline;
  throw new Error('WebLLM gave up the load');
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
