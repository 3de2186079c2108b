/** An engine that answers from a script, so that everything above it is tested without a model. Passes the contract. */
import { ApiError } from '#lib/core/errors.ts';
import { messageText, type ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type {
  EmbedInput,
  Embeddings,
  Engine,
  LoadableModel,
  LoadConfig,
  LoadedConfig,
  LoadedModel,
  LoadOptions,
  RankRequest,
  Ranking,
  RunnerMode,
} from './port.ts';
import { answerCalls, answerWords, type ScriptedAnswer, type ScriptedCall } from './scripted-answer.ts';
import { leastJson } from './scripted-schema.ts';

export interface ScriptedOptions {
  /** The words of the answer to a prompt; a schema is answered with the least that it allows. */
  readonly reply?: (prompt: string, request: ChatRequest | CompletionRequest) => readonly string[];
  /** The calls that are made where tools may be used; words come where there are none. */
  readonly calls?: (request: ChatRequest) => readonly ScriptedCall[];
  /** Awaited before every word, so that a test decides when the next one comes. */
  readonly beforeWord?: (index: number, signal: AbortSignal) => Promise<void>;
  /** Awaited while loading; may throw. */
  readonly onLoad?: (model: LoadableModel, signal: AbortSignal | undefined) => Promise<void>;
}

export class ScriptedEngine implements Engine {
  readonly name = 'llama.cpp';
  /** Models in memory, and how many loads there were. */
  loaded = 0;
  loads = 0;
  readonly #options: ScriptedOptions;

  constructor(options: ScriptedOptions = {}) {
    this.#options = options;
  }

  describe(): Promise<string> {
    return Promise.resolve('scripted');
  }

  async load(model: LoadableModel, config: LoadConfig, options: LoadOptions = {}): Promise<ScriptedModel> {
    this.loads++;
    await this.#options.onLoad?.(model, options.signal);
    options.signal?.throwIfAborted();
    this.loaded++;
    return new ScriptedModel(config, this.#options, () => this.loaded--);
  }
}

export class ScriptedModel implements LoadedModel {
  readonly contextSize: number;
  readonly device = 'scripted';
  readonly inForce: LoadedConfig;
  readonly lost: Promise<Error>;
  /** Dies as an engine does that ran out of memory. */
  readonly crash: () => void;
  readonly #options: ScriptedOptions;
  #onClose: (() => void) | undefined;
  #crashed: ApiError | undefined;

  constructor(config: LoadConfig, options: ScriptedOptions, onClose: () => void) {
    this.contextSize = config.contextSize;
    this.inForce = inForceOf(config);
    this.#options = options;
    this.#onClose = onClose;
    let report: (error: Error) => void = () => undefined;
    this.lost = new Promise((resolve) => (report = resolve));
    this.crash = () => {
      this.#crashed = new ApiError('device_lost', 'The engine stopped.');
      report(this.#crashed);
    };
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    const prompt = request.messages.map(messageText).join('\n');
    const format = request.response_format;
    const held =
      format?.type === 'json_schema' ? (format.json_schema.schema ?? { type: 'object' }) : undefined;
    const answer = this.#answer(request, prompt, signal, {
      words: held ? piecesOf(leastJson(held)) : this.#words(prompt, request),
      limit: request.max_completion_tokens ?? request.max_tokens,
      alternatives: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
    });
    const calls = request.tools?.length ? (this.#options.calls?.(request) ?? []) : [];
    yield* calls.length > 0 ? answerCalls(calls, answer) : answerWords(answer);
  }

  async *complete(
    request: CompletionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, void, undefined> {
    yield* answerWords(
      this.#answer(request, request.prompt, signal, {
        words: this.#words(request.prompt, request),
        limit: request.max_tokens,
        alternatives: request.logprobs ?? undefined,
      }),
    );
  }

  embed(inputs: readonly EmbedInput[], signal: AbortSignal): Promise<Embeddings> {
    return this.#once('embedding', signal, () => ({
      promptTokens: sum(inputs.map((input) => this.#counted(input, 'input'))),
      vectors: inputs.map(vectorOf),
    }));
  }

  /** A document scores as many points as it has words of the query. */
  rerank({ query, documents }: RankRequest, signal: AbortSignal): Promise<Ranking> {
    const wanted = new Set(query.split(/\s+/));
    return this.#once('reranking', signal, () => ({
      scores: documents.map((document) => document.split(/\s+/).filter((word) => wanted.has(word)).length),
      promptTokens: sum(documents.map((document) => tokensOf(query) + tokensOf(document))),
    }));
  }

  close(): Promise<void> {
    this.#onClose?.();
    this.#onClose = undefined;
    return Promise.resolve();
  }

  #words(prompt: string, request: ChatRequest | CompletionRequest): readonly string[] {
    return this.#options.reply?.(prompt, request) ?? ['Hello', ' there.'];
  }

  #answer(
    request: ChatRequest | CompletionRequest,
    prompt: string,
    signal: AbortSignal,
    parts: Pick<ScriptedAnswer, 'words' | 'limit' | 'alternatives'>,
  ): ScriptedAnswer {
    const promptTokens = this.#counted(prompt, 'prompt' in request ? 'prompt' : 'messages');
    const beforeWord = async (index: number) => {
      await this.#options.beforeWord?.(index, signal);
      signal.throwIfAborted();
      if (this.#crashed) throw this.#crashed;
    };
    return { ...parts, promptTokens, stops: [request.stop ?? []].flat(), renderedPrompt: prompt, beforeWord };
  }

  #counted(prompt: EmbedInput, param: string): number {
    const promptTokens = tokensOf(prompt);
    if (promptTokens <= this.contextSize) return promptTokens;
    throw new ApiError('context_length_exceeded', `“${param}” has ${promptTokens} tokens.`, { param });
  }

  /** A real engine sets its pooling when it loads, so a model of another mode cannot do it. */
  async #once<T>(mode: RunnerMode, signal: AbortSignal, compute: () => T): Promise<T> {
    await this.#options.beforeWord?.(0, signal);
    signal.throwIfAborted();
    if (this.#crashed) throw this.#crashed;
    if (this.inForce.mode !== mode) throw new Error(`loaded for ${this.inForce.mode}, asked for ${mode}`);
    return compute();
  }
}

function inForceOf(config: LoadConfig): LoadedConfig {
  return {
    contextSize: config.contextSize,
    gpuLayers: config.gpuLayers ?? 0,
    threads: config.threads ?? 1,
    cacheTypeK: config.cacheTypeK ?? 'f16',
    cacheTypeV: config.cacheTypeV ?? 'f16',
    flashAttention: config.flashAttention ?? true,
    mode: config.mode ?? 'completion',
    parallel: config.parallel ?? 1,
  };
}

/** A text in pieces as long as tokens are. */
function piecesOf(text: string): readonly string[] {
  return text.match(/[^]{1,4}/g) ?? [];
}

function tokensOf(input: EmbedInput): number {
  return typeof input === 'string' ? input.split(/\s+/).length : input.length;
}

/** Equal inputs have equal vectors, of length 1. */
function vectorOf(input: EmbedInput): Float32Array {
  const codes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const vector = new Float32Array(8).fill(1);
  for (const [index, code] of codes.entries()) vector[(code + index) % 8] = 1 + ((code * 31 + index) % 17);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
