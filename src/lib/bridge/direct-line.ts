/**
 * The engine of this very page is reached through its worker: a channel that anybody may listen to, and each lock, goes
 * by the browser's own process. Page and worker die together, so that no request needs a lock of its own to tell of it.
 */
import type { Bridge } from './environment.ts';
import { onRelease } from './locks.ts';
import type { EngineLock, OpenMessage } from './protocol.ts';

/** What one request's messages travel on, both ways. */
export interface Line {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

type Reached = Pick<Worker, 'postMessage'>;

export class NearEngine {
  readonly lock: EngineLock;
  readonly #worker: Reached;
  readonly #gone = new AbortController();

  constructor(lock: EngineLock, worker: Reached) {
    this.lock = lock;
    this.#worker = worker;
  }

  /** Sends the request. */
  open(message: OpenMessage): Line {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage(message, [port2]);
    return port1;
  }

  /** Calls back once, when the worker has died or the page no longer hosts; returns how to stop waiting. */
  onGone(callback: () => void): () => void {
    const { signal } = this.#gone;
    signal.addEventListener('abort', callback);
    return () => signal.removeEventListener('abort', callback);
  }

  leave(): void {
    this.#gone.abort();
  }
}

/** By scope. */
const engines = new Map<string, NearEngine>();

/** Requests of this page go straight to `worker` until its lock is free or the returned function is called. */
export function reachDirectly({ scope, locks }: Bridge, lock: EngineLock, worker: Reached): () => void {
  const engine = new NearEngine(lock, worker);
  engines.set(scope, engine);
  const forget = () => {
    if (engines.get(scope) === engine) engines.delete(scope);
    engine.leave();
  };
  const stopWatching = onRelease(locks, lock.name, forget);
  return () => {
    stopWatching();
    forget();
  };
}

/** `undefined` where another tab hosts the engine, or none does. */
export function nearEngine({ scope }: Bridge): NearEngine | undefined {
  return engines.get(scope);
}
