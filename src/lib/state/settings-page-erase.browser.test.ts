import { createStore, entries, set } from 'idb-keyval';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { holdLock } from '#lib/bridge/locks.ts';
import { engineLockName, hostLockName } from '#lib/bridge/protocol.ts';
import { eraseEverything, onErased, type EraseOptions } from './settings-page-erase.ts';

let scope: string;
let files: FileSystemDirectoryHandle;

beforeEach(async () => {
  scope = `erase-${crypto.randomUUID()}:`;
  files = await (
    await navigator.storage.getDirectory()
  ).getDirectoryHandle(scope.slice(0, -1), {
    create: true,
  });
});

afterEach(async () => {
  await (await navigator.storage.getDirectory()).removeEntry(scope.slice(0, -1), { recursive: true });
});

/** Everything, but of this test alone: the others share the origin. */
function options(changes: Partial<EraseOptions> = {}): EraseOptions {
  return {
    scope,
    databases: {
      databases: async () => (await indexedDB.databases()).filter(({ name }) => name?.startsWith(scope)),
      open: (name: string) => indexedDB.open(name),
    },
    caches: {
      keys: async () => (await caches.keys()).filter((name) => name.startsWith(scope)),
      delete: (name) => caches.delete(name),
    },
    files: () => Promise.resolve(files),
    storages: [],
    channel: () => new BroadcastChannel(scope),
    signal: new AbortController().signal,
    ...changes,
  };
}

async function namesIn(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names;
}

it('empties databases that other tabs have open, files, caches and storages, and tells every tab', async () => {
  const store = createStore(`${scope}db`, 'things');
  await set('a', 1, store);
  await (await files.getDirectoryHandle('blobs', { create: true })).getFileHandle('x', { create: true });
  await caches.open(`${scope}engine`);
  await caches.open(`${scope}precache`);
  const storage = { clear: vi.fn() };
  const told = vi.fn();
  const stop = onErased(told, new BroadcastChannel(scope));

  await eraseEverything(options({ storages: [storage] }));

  expect(await entries(store)).toEqual([]);
  expect(await namesIn(files)).toEqual([]);
  expect((await options().caches.keys()).sort()).toEqual([`${scope}precache`]);
  expect(storage.clear).toHaveBeenCalledOnce();
  await expect.poll(() => told.mock.calls.length).toBe(1);
  stop();
  await caches.delete(`${scope}precache`);
});

it('ends the engine first, wherever it is, and holds off the next one', async () => {
  const host = await holdLock(navigator.locks, hostLockName(scope));
  const engine = await holdLock(navigator.locks, engineLockName(scope, 1, 'e1'));
  const order: string[] = [];
  // As its tab does: it ends the worker when the election is taken from it.
  void host.stolen.then(() => {
    order.push('ended');
    engine.release();
  });
  await eraseEverything(options({ storages: [{ clear: () => order.push('cleared') }] }));
  expect(order).toEqual(['ended', 'cleared']);
  const { held = [] } = await navigator.locks.query();
  expect(held.map(({ name }) => name)).toContain(hostLockName(scope));
});

it('deletes nothing while a frozen tab keeps its engine, says so, and lets an engine begin again', async () => {
  const engine = await holdLock(navigator.locks, engineLockName(scope, 1, 'e1'));
  const store = createStore(`${scope}db`, 'things');
  await set('a', 1, store);
  const erasing = eraseEverything(options({ signal: AbortSignal.abort() }));
  await expect(erasing).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/Close/) });
  expect(await entries(store)).toEqual([['a', 1]]);
  const next = await holdLock(navigator.locks, hostLockName(scope));
  next.release();
  engine.release();
});

it('waits for files that an ended worker still holds, and not for ever', async () => {
  const clock = new ManualClock();
  const isOpen = () => Promise.reject(new DOMException('Open.', 'NoModificationAllowedError'));
  const removeEntry = vi.fn<() => Promise<void>>(isOpen);
  async function* keys() {
    yield 'blobs';
  }
  const held = { keys, removeEntry } as unknown as FileSystemDirectoryHandle;
  const erase = () => eraseEverything(options({ clock, files: () => Promise.resolve(held) }));
  const triesAfterAWhile = async () => {
    await clock.advance(10_000);
    return removeEntry.mock.calls.length;
  };
  removeEntry.mockImplementationOnce(isOpen).mockImplementationOnce(() => Promise.resolve());
  const erasing = erase();
  await expect.poll(triesAfterAWhile).toBe(2);
  await erasing;

  const failing = erase().catch((thrown: unknown) => thrown);
  await expect.poll(triesAfterAWhile).toBe(22);
  expect(await failing).toMatchObject({ code: 'conflict' });
});
