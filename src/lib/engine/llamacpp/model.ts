/** A GGUF model in memory. */
import type { Wllama } from '@wllama/wllama';
import { ApiError } from '#lib/core/errors.ts';
import type {
  EmbedInput,
  Embeddings,
  LoadedConfig,
  LoadedModel,
  RankRequest,
  Ranking,
  RunnerMode,
} from '#lib/engine/port.ts';
import type { FillTokens } from '#lib/model/fill-tokens.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ChunkReader } from './events.ts';
import { isFatal, requestFault, type Asked } from './faults.ts';
import { fillPrompt } from './fill-in-middle.ts';
import { generate, type Generation } from './generation.ts';
import { readMedia } from './media.ts';
import type { NativeLog } from './native-log.ts';
import { toChatParams, toCompletionParams, type Abilities } from './request.ts';
import { checkInputs, embed, rank } from './vectors.ts';

export interface LlamaCppModelOptions {
  readonly wllama: Wllama;
  readonly inForce: LoadedConfig;
  readonly device: string;
  readonly log: NativeLog;
  /** Resolves when the worker dies by itself. */
  readonly lost: Promise<Error>;
  readonly reportLoss: (cause: unknown) => void;
  /** A sound takes more threads than one. */
  readonly hearsInThreads: boolean;
  readonly fillTokens: () => Promise<FillTokens | undefined>;
  /** Ends the worker, on purpose. */
  readonly end: () => Promise<void>;
}

export class LlamaCppModel implements LoadedModel {
  readonly inForce: LoadedConfig;
  readonly device: string;
  readonly lost: Promise<Error>;
  readonly #options: LlamaCppModelOptions;
  readonly #wllama: Wllama;
  readonly #abilities: Abilities;
  #inFlight = 0;

  constructor(options: LlamaCppModelOptions) {
    const { wllama, inForce, device, lost } = options;
    this.#options = options;
    this.#wllama = wllama;
    this.inForce = inForce;
    this.device = device;
    this.lost = lost;
    this.#abilities = {
      vocabularySize: wllama.getLoadedContextInfo().n_vocab,
      media: {
        image: wllama.supportInputModality('image'),
        audio: wllama.supportInputModality('audio'),
        lacksThreads: options.hearsInThreads && inForce.threads < 2,
      },
    };
  }

  get contextSize(): number {
    return this.inForce.contextSize;
  }

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    const alternatives = request.logprobs ? (request.top_logprobs ?? 0) : undefined;
    return this.#generate({ input: 'messages', form: formOf(request) }, signal, {
      newReader: () => new ChunkReader({ alternatives }),
      send: async (onData, abortSignal) => {
        const media = await readMedia(request.messages, this.#abilities.media, { signal: abortSignal });
        const params = toChatParams(request, this.#abilities, media);
        await this.#wllama.createChatCompletion({ ...params, stream: true, abortSignal, onData });
      },
    });
  }

  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    const asked: Asked = { input: 'prompt', form: request.grammar ? 'grammar' : undefined };
    let prompt = request.prompt;
    return this.#generate(asked, signal, {
      newReader: () => new ChunkReader({ alternatives: request.logprobs ?? undefined, prompt }),
      send: async (onData, abortSignal) => {
        prompt = await this.#promptOf(request);
        const params = toCompletionParams(request, prompt, this.#abilities);
        await this.#wllama.createCompletion({ ...params, stream: true, abortSignal, onData });
      },
    });
  }

  async embed(inputs: readonly EmbedInput[], signal: AbortSignal): Promise<Embeddings> {
    this.#require('embedding');
    checkInputs(inputs, this.#abilities.vocabularySize);
    return this.#count({ input: 'input' }, signal, () => embed(this.#wllama, inputs, signal));
  }

  async rerank(request: RankRequest, signal: AbortSignal): Promise<Ranking> {
    this.#require('reranking');
    return this.#count({ input: 'documents' }, signal, () => rank(this.#wllama, request, signal));
  }

  async close(): Promise<void> {
    await this.#options.end();
  }

  #generate(
    asked: Asked,
    signal: AbortSignal,
    { newReader, send }: Pick<Generation, 'newReader' | 'send'>,
  ): AsyncIterable<ChatEvent> {
    return generate(
      {
        newReader,
        send: async (onData, abortSignal) => {
          this.#require('completion');
          this.#inFlight++;
          try {
            await send(onData, abortSignal);
          } finally {
            this.#inFlight--;
          }
        },
        hasCompany: () => this.#inFlight > 0,
        toFault: (thrown) => this.#fault(thrown, asked),
      },
      signal,
    );
  }

  async #count<T>(asked: Asked, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (thrown) {
      throw signal.aborted ? signal.reason : this.#fault(thrown, asked);
    }
  }

  async #promptOf({ prompt, suffix }: CompletionRequest): Promise<string> {
    if (!suffix) return prompt;
    return fillPrompt(await this.#options.fillTokens(), prompt, suffix);
  }

  #fault(thrown: unknown, asked: Asked): Error {
    if (isFatal(thrown)) this.#options.reportLoss(thrown);
    return requestFault(thrown, asked, this.#options.log.takeErrors().join('\n'));
  }

  #require(mode: RunnerMode): void {
    if (this.inForce.mode === mode) return;
    throw new ApiError(
      'not_supported',
      `This model is loaded for the mode “${this.inForce.mode}” and the request needs “${mode}”. Load it for that mode.`,
    );
  }
}

function formOf(request: ChatRequest): Asked['form'] {
  if (request.grammar) return 'grammar';
  if (request.response_format && request.response_format.type !== 'text') return 'response_format';
  return request.tools?.length ? 'tools' : undefined;
}
