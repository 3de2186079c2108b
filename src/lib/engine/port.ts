/** Who runs models. An engine judges and loads; a loaded model answers. */
import type { Digest } from '#lib/core/digest.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';

export type EngineName = 'llama.cpp' | 'webllm';

/** What an engine needs of a stored model. Blobs are read in place and never copied. */
export interface LoadableModel {
  readonly id: Digest;
  /** GGUF files, shards in order. */
  readonly weights: readonly Blob[];
  /** Replaces the template inside the GGUF. */
  readonly chatTemplate?: string | undefined;
}

export interface LoadConfig {
  /** Tokens of context; the model's trained maximum is the engine's business to clamp to. */
  readonly contextSize: number;
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
  /** Where it computes, for people: "GPU" or "CPU, 4 threads". */
  readonly device: string;
  /** Resolves with the reason when the engine dies by itself; never rejects, stays pending after `close`. */
  readonly lost: Promise<Error>;
  /**
   * Events up to one `finish`, which is last. Aborting ends the iteration with an `AbortError` within one token
   * and leaves the model usable. Throws `context_length_exceeded` and `invalid_request` before the first event.
   */
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /** Frees everything; idempotent. */
  close(): Promise<void>;
}
