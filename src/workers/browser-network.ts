/** What the browser knows of the machine's network. */
import { Signal } from '#lib/core/observable.ts';
import type { Network } from '#lib/runner/pulls/network.ts';

export function browserNetwork(scope: WorkerGlobalScope): Network {
  const changed = new Signal();
  scope.addEventListener('online', () => changed.notify());
  scope.addEventListener('offline', () => changed.notify());
  return {
    changed,
    get online() {
      return scope.navigator.onLine;
    },
  };
}
