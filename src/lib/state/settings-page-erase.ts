/**
 * Deletes everything that this browser keeps for Sampan, whether the engine still answers or not: the engine is ended
 * and none can begin until that is done. The files of the app itself stay, so that it opens again without a network.
 */
import { listEngines } from '#lib/bridge/discovery.ts';
import { bridgeOf, type BridgeOptions } from '#lib/bridge/environment.ts';
import { holdLock, released } from '#lib/bridge/locks.ts';
import { hostLockName } from '#lib/bridge/protocol.ts';
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { isStillOpen } from '#lib/core/file-lock.ts';

export interface EraseOptions extends BridgeOptions {
  readonly databases: Pick<IDBFactory, 'databases' | 'open'>;
  readonly caches: Pick<CacheStorage, 'keys' | 'delete'>;
  readonly files: () => Promise<FileSystemDirectoryHandle>;
  readonly storages: readonly Pick<Storage, 'clear'>[];
  /** Tells every tab, this one too. */
  readonly channel: () => BroadcastChannel;
  /** Ends the wait for an engine that does not go: its tab is frozen. */
  readonly signal: AbortSignal;
}

const channelName = 'sampan-erased';
/** The app's own files, as the service worker keeps them. */
const shellCache = 'precache';
const mostAttempts = 20;
const betweenAttemptsMs = 100;

/** With what the browser offers. */
export function browserErase(): EraseOptions {
  return {
    databases: indexedDB,
    caches,
    files: () => navigator.storage.getDirectory(),
    storages: [localStorage, sessionStorage],
    channel: () => new BroadcastChannel(channelName),
    signal: AbortSignal.timeout(10_000),
  };
}

/**
 * Every page must be loaded anew afterwards; until this one is, no engine runs. Throws `conflict` when another tab is
 * frozen and holds files open, and then the engine comes back.
 */
export async function eraseEverything(options: EraseOptions): Promise<void> {
  const { locks, scope, clock } = bridgeOf(options);
  // Stolen, the lock ends the worker of the tab that hosts, and keeps the next one from starting.
  const lock = await holdLock(locks, hostLockName(scope), { steal: true });
  try {
    await enginesGone(options);
    await clearDatabases(options.databases);
    await clearFiles(await options.files(), clock);
    const kept = await options.caches.keys();
    await Promise.all(
      kept.filter((name) => !name.includes(shellCache)).map((name) => options.caches.delete(name)),
    );
    for (const storage of options.storages) storage.clear();
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
  const channel = options.channel();
  channel.postMessage('erased');
  channel.close();
}

/** Calls back when a tab, be it this one, has deleted everything; returns how to stop. */
export function onErased(callback: () => void, channel = new BroadcastChannel(channelName)): () => void {
  channel.onmessage = callback;
  return () => channel.close();
}

async function enginesGone(options: EraseOptions): Promise<void> {
  const bridge = bridgeOf(options);
  for (const { name } of await listEngines(bridge)) await released(bridge.locks, name, options.signal);
  if ((await listEngines(bridge)).length === 0) return;
  throw new ApiError(
    'conflict',
    'Another Sampan tab does not let go of its engine. Close the other tabs, then delete everything again.',
  );
}

/** Emptied and not deleted: a deletion waits for every tab that has the database open. */
async function clearDatabases(databases: EraseOptions['databases']): Promise<void> {
  for (const { name } of await databases.databases()) {
    if (name === undefined) continue;
    const database = await settled(databases.open(name));
    const stores = [...database.objectStoreNames];
    if (stores.length > 0) await clearStores(database, stores);
    database.close();
  }
}

function clearStores(database: IDBDatabase, stores: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, 'readwrite');
    for (const store of stores) transaction.objectStore(store).clear();
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('The transaction was aborted.'));
  });
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The database did not open.'));
  });
}

/** A worker that was ended lets go of its files a moment after its locks. */
async function clearFiles(root: FileSystemDirectoryHandle, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await removeAll(root);
      return;
    } catch (thrown) {
      if (!isStillOpen(thrown)) throw thrown;
      if (attempt === mostAttempts) throw filesHeld(thrown);
    }
    await sleep(clock, betweenAttemptsMs);
  }
}

async function removeAll(root: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of root.keys()) names.push(name);
  for (const name of names) await root.removeEntry(name, { recursive: true });
}

function filesHeld(cause: unknown): ApiError {
  return new ApiError(
    'conflict',
    'Another Sampan tab still has model files open. Close the other tabs, then delete everything again.',
    { cause },
  );
}
