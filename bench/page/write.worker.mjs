// Writes as the product does, without a network: 1 MiB at a time, a flush every 64 MiB and at the end, and the hash in
// a second worker over bytes of its own, so that neither waits for the other.
/* global Worker */
import { expose, wrap } from 'comlink';
import { ModelBytes } from './bytes.mjs';

const pieceBytes = 1024 * 1024;
const flushBytes = 64 * 1024 * 1024;

expose(async (header, sizeBytes, digest) => {
  const bytes = new ModelBytes(header, sizeBytes);
  const hash = wrap(new Worker(new URL('./hash.worker.mjs', import.meta.url), { type: 'module' }));
  await hash.prepare(header, sizeBytes);
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getFileHandle('bench', { create: true })).createSyncAccessHandle();
  file.truncate(0);
  const startMs = performance.now();
  const hashing = hash.digest();
  write(file, bytes);
  file.close();
  const actual = await hashing;
  const tookMs = performance.now() - startMs;
  await root.removeEntry('bench');
  if (actual !== digest) throw new Error('The bytes in memory are not those of the registry.');
  return tookMs;
});

function write(file, bytes) {
  file.truncate(bytes.sizeBytes);
  let at = 0;
  let flushedBytes = 0;
  for (const piece of bytes.pieces(pieceBytes)) {
    at += file.write(piece, { at });
    if (at - flushedBytes < flushBytes) continue;
    file.flush();
    flushedBytes = at;
  }
  file.flush();
}
