/** Whether the machine is on a network at all. */
import type { Signal } from '#lib/core/observable.ts';

export interface Network {
  /** `false` only when the browser is sure. */
  readonly online: boolean;
  readonly changed: Signal;
}

/** Resolves when the machine is on a network; at once when it is. Rejects with the signal's reason. */
export function backOnline(network: Network, signal: AbortSignal): Promise<void> {
  if (network.online) return Promise.resolve();
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      stop();
      reject(signal.reason as Error);
    };
    const unsubscribe = network.changed.subscribe(() => {
      if (!network.online) return;
      stop();
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
