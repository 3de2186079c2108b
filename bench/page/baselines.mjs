// What a pull is measured against: the network alone, and the disk alone.
/* global Worker */
import { wrap } from 'comlink';

/** Milliseconds to fetch the whole model in four ranges at once, and to drop the bytes. */
export function fetchMs({ url, sizeBytes }) {
  return inWorker(new Worker(new URL('./fetch.worker.mjs', import.meta.url), { type: 'module' }), (work) =>
    work(url, sizeBytes),
  );
}

/** Milliseconds to write and to hash the same bytes from memory, each in its own worker, until they are on the disk. */
export async function writeMs({ url, headerBytes, sizeBytes, digest }) {
  const response = await fetch(url, { headers: { range: `bytes=0-${headerBytes - 1}` }, cache: 'no-store' });
  const header = new Uint8Array(await response.arrayBuffer());
  return inWorker(new Worker(new URL('./write.worker.mjs', import.meta.url), { type: 'module' }), (work) =>
    work(header, sizeBytes, digest),
  );
}

async function inWorker(worker, run) {
  try {
    return await run(wrap(worker));
  } finally {
    worker.terminate();
  }
}
