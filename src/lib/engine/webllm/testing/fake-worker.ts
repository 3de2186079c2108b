/** A WebLLM worker that is a script: the messages are real, the thread is not. */
import { expose } from 'comlink';
import { ApiError } from '#lib/core/errors.ts';
import type { Locks } from '#lib/engine/webllm/link.ts';
import type { LoadOrder, Tell, WebLlmWorker } from '#lib/engine/webllm/worker-api.ts';
import type { EmbedInput, Embeddings } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';

export class FakeWorker extends EventTarget implements WebLlmWorker {
  readonly orders: LoadOrder[] = [];
  readonly requests: ChatRequest[] = [];
  readonly prompts: string[] = [];
  readonly embedded: (readonly EmbedInput[])[] = [];
  aborts = 0;
  terminated = false;
  /** What its methods do; replaced by a test. */
  onLoad: () => Promise<void> = () => Promise.resolve();
  onChat: () => Promise<void> = () => Promise.resolve();
  tell: Tell = () => undefined;
  readonly #channel = new MessageChannel();
  readonly #held = new Set<string>();
  #freeLocks: () => void = () => undefined;

  constructor() {
    super();
    expose(this, this.#channel.port1);
    this.#channel.port2.addEventListener('message', ({ data }) =>
      this.dispatchEvent(new MessageEvent('message', { data })),
    );
    this.#channel.port2.start();
  }

  /** Locks that are free when this worker is dead. */
  get locks(): Locks {
    const death = new Promise<void>((resolve) => (this.#freeLocks = resolve));
    const request = async (name: string, { signal }: LockOptions, callback: LockGrantedCallback<void>) => {
      if (!this.#held.has(name)) throw new Error('The lock was asked for before it was held.');
      await death;
      signal?.throwIfAborted();
      callback(null);
    };
    return { request: request as unknown as Locks['request'] };
  }

  asWorker(): Worker {
    return this as unknown as Worker;
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    if (!this.terminated) this.#channel.port2.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.#channel.port1.close();
    this.#channel.port2.close();
  }

  /** Ends as a worker does that is killed: without a word. */
  die(): void {
    this.terminated = true;
    this.#freeLocks();
  }

  holdLock(name: string): Promise<void> {
    this.#held.add(name);
    return Promise.resolve();
  }

  async load(order: LoadOrder, tell: Tell): Promise<void> {
    this.orders.push(order);
    this.tell = tell;
    await this.onLoad();
  }

  async chat(request: ChatRequest): Promise<void> {
    this.requests.push(request);
    await this.onChat();
  }

  async complete(request: CompletionRequest): Promise<void> {
    this.prompts.push(request.prompt);
    await this.onChat();
  }

  async embed(inputs: readonly EmbedInput[]): Promise<Embeddings> {
    this.embedded.push(inputs);
    await this.onChat();
    return { vectors: inputs.map(() => Float32Array.of(1)), promptTokens: inputs.length };
  }

  abort(): void {
    this.aborts++;
  }
}

export const pending = (): Promise<never> => new Promise(() => undefined);

export function failing(code: ConstructorParameters<typeof ApiError>[0]): () => Promise<never> {
  return () => Promise.reject(new ApiError(code, 'No.'));
}
