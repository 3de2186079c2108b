/** An MLC model in a worker of its own. One request at a time; the next waits until the worker is done with the last. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { EmbedInput, Embeddings, LoadedConfig, LoadedModel, Ranking } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { cannot } from './faults.ts';
import type { WebLlmLink } from './link.ts';

export interface WebLlmModelOptions {
  readonly link: WebLlmLink;
  readonly inForce: LoadedConfig;
  readonly device: string;
}

export class WebLlmModel implements LoadedModel {
  readonly inForce: LoadedConfig;
  readonly device: string;
  readonly #link: WebLlmLink;
  /** An aborted request ends for its reader at once, and in the worker with its next token. */
  #previous: Promise<void> = Promise.resolve();

  constructor({ link, inForce, device }: WebLlmModelOptions) {
    this.#link = link;
    this.inForce = inForce;
    this.device = device;
  }

  get contextSize(): number {
    return this.inForce.contextSize;
  }

  get lost(): Promise<Error> {
    return this.#link.lost;
  }

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return this.#answer(signal, (onEvent) => this.#link.chat(request, onEvent));
  }

  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    return this.#answer(signal, (onEvent) => this.#link.complete(request, onEvent));
  }

  async embed(inputs: readonly EmbedInput[], signal: AbortSignal): Promise<Embeddings> {
    if (this.inForce.mode !== 'embedding') throw cannot('embed');
    if (inputs.length === 0) return { vectors: [], promptTokens: 0 };
    const answers = this.#inTurn<Embeddings>(signal, async (push) => push(await this.#link.embed(inputs)));
    for await (const embeddings of answers) return embeddings;
    throw new ApiError('aborted', 'The request was cancelled.');
  }

  rerank(): Promise<Ranking> {
    return Promise.reject(cannot('rerank'));
  }

  close(): Promise<void> {
    this.#link.terminate(new ApiError('aborted', 'The model was unloaded.'));
    return Promise.resolve();
  }

  #answer(
    signal: AbortSignal,
    ask: (onEvent: (event: ChatEvent) => void) => Promise<void>,
  ): AsyncIterable<ChatEvent> {
    if (this.inForce.mode === 'completion') return this.#inTurn(signal, ask);
    const queue = new AsyncQueue<ChatEvent>();
    queue.fail(cannot('chat'));
    return queue;
  }

  /** What `run` pushes, when its turn has come. */
  #inTurn<T>(signal: AbortSignal, run: (push: (item: T) => void) => Promise<void>): AsyncQueue<T> {
    const left = new AbortController();
    const queue = new AsyncQueue<T>(() => left.abort());
    const either = AbortSignal.any([signal, left.signal]);
    this.#previous = this.#run(either, queue, run, this.#previous);
    return queue;
  }

  /** Never rejects: what fails is the queue. */
  async #run<T>(
    signal: AbortSignal,
    queue: AsyncQueue<T>,
    run: (push: (item: T) => void) => Promise<void>,
    previous: Promise<void>,
  ): Promise<void> {
    let running = false;
    const onAbort = () => {
      queue.fail(signal.reason);
      if (running) this.#link.abort();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      await previous;
      if (signal.aborted) return;
      running = true;
      await run((item) => queue.push(item));
      queue.close();
    } catch (thrown) {
      queue.fail(thrown);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
