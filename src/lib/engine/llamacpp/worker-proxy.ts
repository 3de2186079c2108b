/** wllama's connection to its worker, which the package keeps to itself. */
import type { Wllama } from '@wllama/wllama';

/** What is used of the package's `ProxyToWorker`. */
export interface WorkerProxy {
  /** There from `moduleInit` on. */
  readonly worker: Worker;
  wllamaAction(name: string, body: unknown): Promise<unknown>;
  /** The script of the build, for the worker and its threads. */
  getModuleCode(): Promise<string>;
  moduleInit(files: readonly NamedFile[]): Promise<unknown>;
}

export interface NamedFile {
  readonly name: string;
  readonly blob: Blob;
}

/** Calls back at the moment when the connection is made, which is before the worker starts. Call before `loadModel`. */
export function onWorkerProxy(wllama: Wllama, use: (proxy: WorkerProxy) => void): void {
  let current: unknown = null;
  Object.defineProperty(wllama, 'proxy', {
    get: () => current,
    set: (proxy: unknown) => {
      current = proxy;
      if (isWorkerProxy(proxy)) use(proxy);
    },
  });
}

function isWorkerProxy(value: unknown): value is WorkerProxy {
  if (typeof value !== 'object' || value === null) return false;
  return ['wllamaAction', 'getModuleCode', 'moduleInit'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  );
}
