/** Who runs models. An engine judges and loads; a loaded model answers. */
import type { Digest } from '#lib/core/digest.ts';
import type { CacheType } from '#lib/model/wire.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';

export type EngineName = 'llama.cpp' | 'webllm';

/** What an engine needs of a stored model. Blobs are read in place and never copied. */
export type LoadableModel = GgufModel | MlcModel;

/** For llama.cpp. */
export interface GgufModel {
  readonly kind: 'gguf';
  readonly id: Digest;
  /** Shards in order. */
  readonly weights: readonly Blob[];
  /** Replaces the template inside the GGUF. */
  readonly chatTemplate?: string | undefined;
  /** The mmproj file of a model that sees or hears. */
  readonly projector?: Blob | undefined;
  /** LoRA adapters in GGUF form, each applied with scale 1. */
  readonly adapters?: readonly Blob[] | undefined;
}

/** For WebLLM. */
export interface MlcModel {
  readonly kind: 'mlc';
  readonly id: Digest;
  /** All of its files by path; the compiled library (`*.wasm`) is one of them. */
  readonly files: ReadonlyMap<string, Blob>;
  /** Replaces the template that came with the tokenizer. */
  readonly chatTemplate?: string | undefined;
}

/** As Docker Model Runner names them. One load serves one mode: its batch and pooling are set when it is loaded. */
export const runnerModes = ['completion', 'embedding', 'reranking'] as const;
export type RunnerMode = (typeof runnerModes)[number];

export type Pooling = 'none' | 'mean' | 'cls' | 'last';

export interface LoadConfig {
  /** `completion` when absent. */
  readonly mode?: RunnerMode | undefined;
  /** Requests that are answered at once; they share the context. 1 when absent. */
  readonly parallel?: number | undefined;
  /** For embeddings; the model's own when absent. */
  readonly pooling?: Pooling | undefined;
  /** Tokens of context; the model's trained maximum is the engine's business to clamp to. */
  readonly contextSize: number;
  /** Layers on the GPU; all when absent, none where there is no GPU. */
  readonly gpuLayers?: number | undefined;
  readonly threads?: number | undefined;
  readonly cacheTypeK?: CacheType | undefined;
  readonly cacheTypeV?: CacheType | undefined;
  /** `false` turns it off; else the engine decides. */
  readonly flashAttention?: boolean | undefined;
  /** Tokens of thinking, -1 without limit. */
  readonly thinkBudget?: number | undefined;
  /** WebLLM: attend to the last so many tokens only, so that a conversation never fills the context. */
  readonly slidingWindow?: number | undefined;
  /** WebLLM: prompt tokens computed at once, at most as many as the library was built for. */
  readonly prefillChunk?: number | undefined;
}

/** What a loaded model runs with. */
export interface LoadedConfig {
  readonly contextSize: number;
  readonly gpuLayers: number;
  readonly threads: number;
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  readonly flashAttention: boolean;
  readonly mode: RunnerMode;
  readonly parallel: number;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** 0 to 1, never backwards. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

export interface Engine {
  readonly name: EngineName;
  /** For `/engines/status`: "llama.cpp b12211 (CPU, 4 threads)". Touches hardware, so it is asked, not stored. */
  describe(): Promise<string>;
  /** Throws `unsupported_model_format`, `insufficient_memory`, `loading_timeout`; a failed load leaves nothing behind. */
  load(model: LoadableModel, config: LoadConfig, options?: LoadOptions): Promise<LoadedModel>;
}

export interface LoadedModel {
  readonly contextSize: number;
  readonly inForce: LoadedConfig;
  /** Where it computes, for people: "GPU" or "CPU, 4 threads". */
  readonly device: string;
  /** Resolves with the reason when the engine dies by itself; never rejects, stays pending after `close`. */
  readonly lost: Promise<Error>;
  /**
   * Events up to one `finish`, which is last. Aborting ends the iteration with an `AbortError` within one token
   * and leaves the model usable. Throws `context_length_exceeded` and `invalid_request` before the first event.
   * `tools` with `tool_choice` auto are rendered by the model's template, and calls come as events; a forced choice
   * is the caller's, by `response_format`. A schema holds whatever the model would rather say. `n` is the caller's.
   * What the engine can never do throws `not_supported`.
   */
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** As `chat`, for one prompt of a text completion (`n`, `best_of`, `echo` and lists of prompts are the caller's). */
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** One vector an input, in their order, of length 1 in the Euclidean norm. */
  embed(inputs: readonly EmbedInput[], signal: AbortSignal): Promise<Embeddings>;
  /** One score a document, in their order, as the model gives it: higher is more relevant. */
  rerank(request: RankRequest, signal: AbortSignal): Promise<Ranking>;
  /** Frees everything; idempotent. */
  close(): Promise<void>;
}

/** Text, or token ids of the model's own vocabulary. */
export type EmbedInput = string | readonly number[];

export interface Embeddings {
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
}

export interface RankRequest {
  readonly query: string;
  readonly documents: readonly string[];
}

export interface Ranking {
  readonly scores: readonly number[];
  readonly promptTokens: number;
}
