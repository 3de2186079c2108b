/* global Worker */
import { expose } from 'comlink';
import { systemClock } from '#lib/core/clock.ts';
import { digestHex } from '#lib/core/digest.ts';
import { collectGarbage } from '#lib/store/garbage.ts';
import { IdbModelIndex } from '#lib/store/idb/model-index.ts';
import { ProgressStore } from '#lib/store/idb/progress.ts';
import { ingest } from '#lib/store/ingest.ts';
import { blobsDirectory } from '#lib/store/opfs/directories.ts';
import { OpfsBlobStore } from '#lib/store/opfs/blob-store.ts';
import { ModelBytes } from './bytes.mjs';

const pieceBytes = 1024 * 1024;
const parallelFiles = 32;

const prepared = { digest: '', sizeBytes: 0 };
const index = new IdbModelIndex('bench-models');
/** A message that comes before `expose` is lost, so nothing is awaited on the way there. */
const opened = open();

async function open() {
  const origin = await navigator.storage.getDirectory();
  const root = await origin.getDirectoryHandle('bench-store', { create: true });
  const store = new OpfsBlobStore({
    root,
    locks: navigator.locks,
    progress: new ProgressStore('bench-progress'),
    clock: systemClock,
    createWorker: () =>
      new Worker(new URL('../../src/workers/blob.worker.ts', import.meta.url), { type: 'module' }),
    createHashWorker: () =>
      new Worker(new URL('../../src/workers/hash.worker.ts', import.meta.url), { type: 'module' }),
  });
  return { origin, root, store };
}

expose({
  async collectMs(count, garbage) {
    const { root, store } = await opened;
    await addSmallBlobs(root, await store.digests(), count);
    const digests = Array.from({ length: count }, (_, number) => digestOf(number));
    const needed = new Set(digests.slice(garbage));
    const { result, tookMs } = await timed(() => collectGarbage(store, (digest) => needed.has(digest)));
    if (result.removedBlobs !== garbage) throw new Error(`${result.removedBlobs} blobs were collected.`);
    return tookMs;
  },

  async fillIndex(count, configBytes) {
    for (let number = 0; number < count; number++) {
      const config = new Uint8Array(configBytes).fill(32);
      const manifest = new TextEncoder().encode(`manifest ${number}`);
      await index.put({ id: digestOf(number), manifest, config, addedAtMs: number }, [tagOf(number)]);
    }
  },

  async indexMs(verb) {
    const calls = {
      list: () => index.list(),
      find: () => index.find(tagOf(0)),
      touch: () => index.touch(digestOf(0), 1),
    };
    return (await timed(calls[verb])).tookMs;
  },

  async prepare(header, sizeBytes, digest) {
    Object.assign(prepared, { digest, sizeBytes });
    const { origin } = await opened;
    const file = await (
      await origin.getFileHandle('bench-source', { create: true })
    ).createSyncAccessHandle();
    let at = 0;
    for (const piece of new ModelBytes(header, sizeBytes).pieces(pieceBytes)) at += file.write(piece, { at });
    file.flush();
    file.close();
  },

  async ingestMs() {
    const { digest, sizeBytes } = prepared;
    const { origin, store } = await opened;
    await store.delete(digest);
    const file = await (await origin.getFileHandle('bench-source')).getFile();
    return (await timed(() => ingest(store, digest, sizeBytes, file.stream()))).tookMs;
  },

  async verifyMs() {
    const { store } = await opened;
    const { result, tookMs } = await timed(() => store.verify(prepared.digest));
    if (result !== 'intact') throw new Error(`The blob is ${result}.`);
    return tookMs;
  },
});

async function timed(run) {
  const startMs = performance.now();
  const result = await run();
  return { result, tookMs: performance.now() - startMs };
}

/** Those that are missing. Collecting looks at names and sizes, so nothing has to be in the files. */
async function addSmallBlobs(root, digests, count) {
  const blobs = await blobsDirectory(root);
  const there = new Set(digests);
  const missing = Array.from({ length: count }, (_, number) => digestOf(number)).filter(
    (digest) => !there.has(digest),
  );
  const lane = async () => {
    for (let digest = missing.pop(); digest; digest = missing.pop())
      await blobs.getFileHandle(digestHex(digest), { create: true });
  };
  await Promise.all(Array.from({ length: parallelFiles }, lane));
}

function digestOf(number) {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

function tagOf(number) {
  return `docker.io/bench/model-${number}:latest`;
}
