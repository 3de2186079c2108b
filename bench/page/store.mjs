// The store by itself, in a worker as the daemon has it.
/* global Worker */
import { wrap } from 'comlink';

const store = wrap(
  new Worker(new URL('./store.worker.mjs', import.meta.url), { type: 'module', name: 'store' }),
);

/** Milliseconds to collect in a store of `count` blobs, of which `garbage` are not needed. */
export function collectMs(count, garbage) {
  return store.collectMs(count, garbage);
}

/** Fills an index with `count` models. */
export function fillIndex(count, configBytes) {
  return store.fillIndex(count, configBytes);
}

/** Milliseconds for one call of the index: `list`, `find` or `touch`. */
export function indexMs(verb) {
  return store.indexMs(verb);
}

/** Puts the model's bytes into a file, as a person has it on the disk. */
export async function prepare({ url, headerBytes, sizeBytes, digest }) {
  const response = await fetch(url, { headers: { range: `bytes=0-${headerBytes - 1}` }, cache: 'no-store' });
  await store.prepare(new Uint8Array(await response.arrayBuffer()), sizeBytes, digest);
}

/** Milliseconds from the first byte read of that file to the blob verified in the store. */
export function ingestMs() {
  return store.ingestMs();
}

/** Milliseconds to read the stored blob again. */
export function verifyMs() {
  return store.verifyMs();
}
