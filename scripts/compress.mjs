// Writes a Brotli twin beside every file of the built app that shrinks by it. The adapter's own option takes two minutes
// for the engine builds, because it knows only the slowest level.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const compressible = /\.(html|js|css|json|svg|webmanifest|wasm|txt)$/;
const largeBytes = 1024 * 1024;

/** @param {string} folder the built app */
export function compressFiles(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !compressible.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const quality = bytes.byteLength > largeBytes ? 5 : 11;
    const small = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
    if (small.byteLength < bytes.byteLength * 0.9) writeFileSync(`${path}.br`, small);
  }
}
