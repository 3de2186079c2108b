/** The connection to one WebLLM worker. A worker that dies says nothing, so its death is seen by a lock it held. */
import { proxy, wrap, type Remote } from 'comlink';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { EmbedInput, Embeddings } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { lostFault } from './faults.ts';
import type { LoadOrder, WebLlmWorker, WorkerEvent } from './worker-api.ts';

export type Locks = Pick<LockManager, 'request'>;

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'ended'; readonly error: ApiError };

export class WebLlmLink {
  /** Resolves when the worker or its GPU device dies by itself. */
  readonly lost: Promise<ApiError>;
  readonly #worker: Worker;
  readonly #remote: Remote<WebLlmWorker>;
  readonly #unwatch = new AbortController();
  /** Calls that wait for an answer, which a dead worker never gives. */
  readonly #waiting = new Set<(error: ApiError) => void>();
  #reportLoss: (error: ApiError) => void = () => undefined;
  #state: State = { kind: 'starting' };
  #onProgress: (fraction: number) => void = () => undefined;
  #onChat: (event: ChatEvent) => void = () => undefined;

  /** Tokens of context that the model is loaded with; an error says what would fit instead. */
  readonly #contextSize: number;

  constructor(worker: Worker, locks: Locks, contextSize: number) {
    installErrorTransfer();
    this.#contextSize = contextSize;
    this.#worker = worker;
    this.#remote = wrap<WebLlmWorker>(worker);
    this.lost = new Promise((resolve) => (this.#reportLoss = resolve));
    worker.addEventListener('error', () => this.#fail());
    void this.#watch(locks);
  }

  async load(order: LoadOrder, onProgress: (fraction: number) => void): Promise<void> {
    this.#onProgress = onProgress;
    await this.#call(() =>
      this.#remote.load(
        order,
        proxy((event) => this.#hear(event)),
      ),
    );
  }

  /** Resolves after the last event. */
  chat(request: ChatRequest, onEvent: (event: ChatEvent) => void): Promise<void> {
    this.#onChat = onEvent;
    return this.#ask(() => this.#remote.chat(request));
  }

  /** As `chat`. */
  complete(request: CompletionRequest, onEvent: (event: ChatEvent) => void): Promise<void> {
    this.#onChat = onEvent;
    return this.#ask(() => this.#remote.complete(request));
  }

  embed(inputs: readonly EmbedInput[]): Promise<Embeddings> {
    return this.#ask(() => this.#remote.embed(inputs));
  }

  abort(): void {
    if (this.#state.kind !== 'ended') void this.#remote.abort();
  }

  /** The only way that surely frees the GPU. Calls that wait fail with `error`. Idempotent. */
  terminate(error: ApiError): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended', error };
    this.#unwatch.abort();
    this.#worker.terminate();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  async #watch(locks: Locks): Promise<void> {
    const name = `webllm-worker:${crypto.randomUUID()}`;
    try {
      await this.#call(() => this.#remote.holdLock(name));
      if (this.#state.kind === 'starting') this.#state = { kind: 'alive' };
      await locks.request(name, { signal: this.#unwatch.signal }, () => this.#fail());
    } catch {
      // Ended meanwhile: who waits has been told.
    }
  }

  #hear(event: WorkerEvent): void {
    if (event.type === 'progress') this.#onProgress(event.fraction);
    else if (event.type === 'chat') this.#onChat(event.event);
    else this.#lose(lostFault(undefined, this.#contextSize));
  }

  #fail(): void {
    this.#lose(this.#state.kind === 'starting' ? notStarted() : lostFault(undefined, this.#contextSize));
  }

  #lose(error: ApiError): void {
    if (this.#state.kind === 'ended') return;
    this.terminate(error);
    this.#reportLoss(error);
  }

  /** A request whose failure may be the end of the model. */
  async #ask<T>(make: () => Promise<T>): Promise<T> {
    try {
      return await this.#call(make);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 'device_lost') this.#lose(thrown);
      throw thrown;
    }
  }

  #call<T>(make: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === 'ended') throw this.#state.error;
      this.#waiting.add(reject);
      void make()
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }
}

function notStarted(): ApiError {
  return new ApiError('internal', 'The part of Sampan that runs WebLLM did not start. Reload the page.');
}
