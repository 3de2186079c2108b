/** Web Locks as the only sign of life: a lock is freed within milliseconds of its holder's death, however it died. */

export interface HeldLock {
  release(): void;
  /** Resolves when another context has stolen the lock; stays pending otherwise. */
  readonly stolen: Promise<void>;
}

/** Resolves once the lock is held; rejects when `options.signal` aborts the wait. */
export function holdLock(locks: LockManager, name: string, options: LockOptions = {}): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    let onStolen: () => void = () => undefined;
    const stolen = new Promise<void>((settle) => {
      onStolen = settle;
    });
    const hold = () => new Promise<void>((release) => resolve({ release, stolen }));
    locks.request(name, options, hold).catch((thrown: unknown) => {
      // After the grant the request only rejects when the lock was stolen; before it, nobody has `stolen`.
      onStolen();
      reject(thrown);
    });
  });
}

/**
 * Calls back once nobody holds the lock exclusively any more, at once if nobody does now. Returns how to stop waiting.
 * Throws nothing: a wait that is stopped just ends.
 */
export function onRelease(locks: LockManager, name: string, callback: () => void): () => void {
  const waiting = new AbortController();
  const { signal } = waiting;
  const granted = () => {
    if (!signal.aborted) callback();
  };
  locks.request(name, { mode: 'shared', signal }, granted).catch((thrown: unknown) => {
    // Stopped by us, or the context is going away; in the latter case nobody is left to be told.
    if (!signal.aborted) console.warn('A lock could not be watched.', thrown);
  });
  return () => waiting.abort();
}

/** `onRelease` as a promise; an abort of `signal` resolves it too. */
export function released(locks: LockManager, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const stop = onRelease(locks, name, resolve);
    signal.addEventListener('abort', () => {
      stop();
      resolve();
    });
  });
}
