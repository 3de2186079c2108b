/** What the WebLLM worker exposes through Comlink, and what it tells by itself. */
import type { Digest } from '#lib/core/digest.ts';
import type { EmbedInput, Embeddings } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type { MlcPackage } from './package.ts';
import type { Span } from './plan.ts';

export interface WebLlmWorker {
  /** Takes a lock that is free again only when this worker is gone; a worker that dies says nothing. */
  holdLock(name: string): Promise<void>;
  /** Once per worker. Throws the codes of `Engine.load`. */
  load(order: LoadOrder, tell: Tell): Promise<void>;
  /** One at a time. Resolves after its last event was received, also when aborted. */
  chat(request: ChatRequest): Promise<void>;
  /** As `chat`. */
  complete(request: CompletionRequest): Promise<void>;
  /** One at a time, chats included. Rejects when aborted. */
  embed(inputs: readonly EmbedInput[]): Promise<Embeddings>;
  /** Ends the running request within one token, or one batch of inputs. */
  abort(): void;
}

export interface LoadOrder extends MlcPackage {
  readonly id: Digest;
  readonly span: Span;
  readonly prefillChunk: number | undefined;
  readonly chatTemplate: string | undefined;
  readonly thinkBudget: number | undefined;
}

export type WorkerEvent =
  /** 0 to 1, never backwards. */
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'chat'; readonly event: ChatEvent }
  /** The GPU device is gone; nothing works any more. */
  | { readonly type: 'lost' };

/** What it returns tells when the event was received. */
export type Tell = (event: WorkerEvent) => unknown;
