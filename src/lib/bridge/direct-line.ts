/**
 * The engine of this very page is reached through its worker: a channel that anybody may listen to goes by the browser's
 * own process, which costs every token twice.
 */
import type { OpenMessage } from './protocol.ts';

/** What one request's messages travel on, both ways. */
export interface Line {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

const workers = new Map<string, Worker>();

/** Requests of this page to the engine go straight to its worker, until the returned function is called. */
export function reachDirectly(engineId: string, worker: Worker): () => void {
  workers.set(engineId, worker);
  return () => workers.delete(engineId);
}

/** Sends the request; `undefined` if the engine is another tab's. */
export function openDirectly(open: OpenMessage): Line | undefined {
  const worker = workers.get(open.engineId);
  if (!worker) return undefined;
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(open, [port2]);
  return port1;
}
