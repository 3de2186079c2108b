/** A GGUF model in memory. One request at a time: the runner queues, so a bad request can reject nobody else's. */
import type { Wllama } from '@wllama/wllama';
import { AsyncQueue } from '#lib/core/async-queue.ts';
import type { LoadedConfig, LoadedModel } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ChunkReader } from './events.ts';
import { isFatal, lostFault, requestFault } from './faults.ts';
import { toWllamaRequest } from './request.ts';

export interface LlamaCppModelOptions {
  readonly wllama: Wllama;
  readonly inForce: LoadedConfig;
  readonly device: string;
}

export class LlamaCppModel implements LoadedModel {
  readonly inForce: LoadedConfig;
  readonly device: string;
  readonly lost: Promise<Error>;
  readonly #wllama: Wllama;
  readonly #reportLoss: (error: Error) => void;

  constructor({ wllama, inForce, device }: LlamaCppModelOptions) {
    this.#wllama = wllama;
    this.inForce = inForce;
    this.device = device;
    const { promise, resolve } = deferred<Error>();
    this.lost = promise;
    this.#reportLoss = resolve;
  }

  get contextSize(): number {
    return this.inForce.contextSize;
  }

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    const cancel = new AbortController();
    const queue = new AsyncQueue<ChatEvent>(() => cancel.abort());
    void this.#generate(request, AbortSignal.any([signal, cancel.signal]), queue);
    return queue;
  }

  async close(): Promise<void> {
    await this.#wllama.exit();
  }

  /** The callback form: wllama's own iterator neither stops on `break` nor bounds its queue. */
  async #generate(request: ChatRequest, signal: AbortSignal, queue: AsyncQueue<ChatEvent>): Promise<void> {
    const reader = new ChunkReader();
    try {
      signal.throwIfAborted();
      await this.#wllama.createChatCompletion({
        ...toWllamaRequest(request),
        stream: true,
        abortSignal: signal,
        onData: (chunk) => {
          if (signal.aborted) return;
          for (const event of reader.read(chunk)) queue.push(event);
        },
      });
      signal.throwIfAborted();
      queue.close();
    } catch (thrown) {
      queue.fail(signal.aborted ? signal.reason : this.#fault(thrown));
    }
  }

  #fault(thrown: unknown): Error {
    if (!isFatal(thrown)) return requestFault(thrown);
    const error = lostFault(thrown);
    this.#reportLoss(error);
    return error;
  }
}

/** `Promise.withResolvers`, which Node 20 and older Safari lack. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, resolve: settle };
}
