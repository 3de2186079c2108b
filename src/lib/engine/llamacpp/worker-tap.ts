/**
 * wllama's connection to its worker is taken over for what the package has no way to do: calls one after another or ahead
 * of time, answers that go on after half a character, addresses above 2 GiB, files that a build reads itself, and a sign
 * of life.
 */
import type { Wllama } from '@wllama/wllama';
import type { Clock } from '#lib/core/clock.ts';
import { resultInPlace } from './half-characters.ts';
import { withHighAddresses } from './high-addresses.ts';
import { handOverFiles } from './model-files.ts';
import type { NativeLog } from './native-log.ts';
import { Turnstile } from './turnstile.ts';
import { askAhead } from './results-ahead.ts';
import { onWorkerProxy, type WorkerProxy } from './worker-proxy.ts';
import { died, type Locks } from './worker-watch.ts';

export interface TapOptions {
  readonly locks: Locks;
  readonly clock: Clock;
  readonly log: NativeLog;
  /** One of our builds, which answers with its exceptions. */
  readonly isOwn: boolean;
  /** The worker is gone without `stop` having been called. */
  readonly onDeath: () => void;
}

export interface Tap {
  /** Ends the watch, before the worker is ended on purpose. */
  readonly stop: () => void;
  /** Resolves when the worker runs its WebAssembly; stays pending if it never does, for the package says nothing then. */
  readonly started: Promise<void>;
}

/** Call before `loadModel`. */
export function tapWorker(wllama: Wllama, { locks, clock, log, isOwn, onDeath }: TapOptions): Tap {
  const unwatch = new AbortController();
  let tellStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (tellStarted = resolve));
  const lockName = `llamacpp-worker:${crypto.randomUUID()}`;
  onWorkerProxy(wllama, (proxy) => {
    if (isOwn) proxy.wllamaAction = askAhead(proxy.wllamaAction.bind(proxy));
    else takeTurns(proxy, log);
    handOverFiles(proxy);
    holdLock(proxy, lockName, () => {
      tellStarted();
      void died(lockName, { locks, clock, signal: unwatch.signal }).then((isDead) => {
        if (isDead) onDeath();
      });
    });
  });
  return { stop: () => unwatch.abort(), started };
}

/** An exception of the package's C++ rejects every call that is in the worker then; so there is never more than one. */
function takeTurns(proxy: WorkerProxy, log: NativeLog): void {
  const turnstile = new Turnstile();
  const act = proxy.wllamaAction.bind(proxy);
  proxy.wllamaAction = async (name, body) => {
    try {
      return await turnstile.pass(() => act(name, body));
    } catch (thrown) {
      return resultInPlace(name, thrown, log);
    }
  };
}

/** Its threads hold the lock too and die with it. */
function holdLock(proxy: WorkerProxy, lockName: string, onHeld: () => void): void {
  const moduleCode = proxy.getModuleCode.bind(proxy);
  const moduleInit = proxy.moduleInit.bind(proxy);
  const hold = `navigator.locks.request(${JSON.stringify(lockName)},{mode:"shared"},()=>new Promise(()=>{}));\n`;
  proxy.getModuleCode = async () => hold + withHighAddresses(await moduleCode());
  proxy.moduleInit = async (files) => {
    const result = await moduleInit(files);
    onHeld();
    return result;
  };
}
