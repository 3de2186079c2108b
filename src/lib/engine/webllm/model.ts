/** An MLC model in a worker of its own. One request at a time; the next waits until the worker is done with the last. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LoadedConfig, LoadedModel } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
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
    const left = new AbortController();
    const queue = new AsyncQueue<ChatEvent>(() => left.abort());
    const either = AbortSignal.any([signal, left.signal]);
    const previous = this.#previous;
    this.#previous = this.#generate(request, either, queue, previous);
    return queue;
  }

  close(): Promise<void> {
    this.#link.terminate(new ApiError('aborted', 'The model was unloaded.'));
    return Promise.resolve();
  }

  /** Never rejects: what fails is the queue. */
  async #generate(
    request: ChatRequest,
    signal: AbortSignal,
    queue: AsyncQueue<ChatEvent>,
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
      await this.#link.chat(request, (event) => queue.push(event));
      queue.close();
    } catch (thrown) {
      queue.fail(thrown);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
