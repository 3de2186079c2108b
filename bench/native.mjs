// Native llama.cpp of the very release that the WASM engine is built from, with its own tools and ours. Needs CMake and a
// C++ compiler; takes some minutes the first time.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../engine/recipe/run.mjs';
import { prepareLlama } from '../engine/recipe/sources.mjs';
import { root } from '#scripts/setup.mjs';

const ours = fileURLToPath(new URL('./native', import.meta.url));
const options = ['-DCMAKE_BUILD_TYPE=Release', '-DGGML_NATIVE=ON', '-DBUILD_SHARED_LIBS=OFF', '-DLLAMA_CURL=OFF', '-DLLAMA_OPENSSL=OFF', '-DLLAMA_BUILD_HTML=OFF', '-DLLAMA_BUILD_TESTS=OFF']; // prettier-ignore

/** A folder with llama-bench, llama-quantize and next-tokens. */
export function nativeTools() {
  const work = join(root, '.cache', 'native');
  const source = join(work, 'llama.cpp');
  const build = join(work, 'build');
  if (!existsSync(join(work, 'source.ready'))) {
    mkdirSync(work, { recursive: true });
    const pins = JSON.parse(readFileSync(join(root, 'engine', 'sources.json'), 'utf8'));
    prepareLlama({ work, folder: source, pins });
    writeFileSync(join(work, 'source.ready'), '');
  }
  if (!existsSync(join(build, 'CMakeCache.txt')))
    run('cmake', ['-S', ours, '-B', build, `-DLLAMA=${source}`, ...options]);
  const targets = ['llama-bench', 'llama-quantize', 'next-tokens'].flatMap((name) => ['--target', name]);
  run('cmake', ['--build', build, '-j', String(availableParallelism()), ...targets]);
  return join(build, 'bin');
}
