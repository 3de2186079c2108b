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

/** Milliseconds to read the file that `daemon.keepExport` left, and to drop it. */
export async function readMs() {
  const file = await keptExport();
  const startMs = performance.now();
  const reader = file.stream().getReader();
  while (!(await reader.read()).done);
  return performance.now() - startMs;
}

/** Milliseconds to send that file in one request. */
export async function sendMs(url) {
  const file = await keptExport();
  const startMs = performance.now();
  const response = await fetch(url, { method: 'PUT', body: file });
  if (!response.ok) throw new Error(`The registry answers ${response.status}.`);
  return performance.now() - startMs;
}

async function keptExport() {
  const root = await navigator.storage.getDirectory();
  return (await root.getFileHandle('bench.tar')).getFile();
}

async function inWorker(worker, run) {
  try {
    return await run(wrap(worker));
  } finally {
    worker.terminate();
  }
}
