/** CMake and Emscripten inside the toolchain's root: one build folder, one variant after the other. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { output, run } from './run.mjs';

/** What differs between the builds, best first: options for ggml's CPU code, and what a browser must have. */
export const variants = [
  {
    name: 'relaxed',
    simdOptions: '-mrelaxed-simd',
    features: ['relaxed-simd', 'wasm-exceptions', 'threads'],
  },
  { name: 'simd', simdOptions: '', features: ['simd', 'wasm-exceptions', 'threads'] },
];

const projectOptions = {
  CMAKE_BUILD_TYPE: 'Release',
  // Emscripten says x86, and ggml then leaves its WASM kernels out.
  EMSCRIPTEN_SYSTEM_PROCESSOR: 'wasm32',
  LLAMA_WASM_MEM64: 'OFF',
  LLAMA_CURL: 'OFF',
  LLAMA_OPENSSL: 'OFF',
  LLAMA_BUILD_HTML: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_TOOLS: 'OFF',
  LLAMA_BUILD_SERVER: 'OFF',
  LLAMA_BUILD_COMMON: 'OFF',
  GGML_WEBGPU: 'OFF',
  GGML_OPENMP: 'OFF',
};

/** Builds one variant of `/src/engine` in `/src/build`; the results are `/src/build/wllama.{js,wasm}`. */
export function compileVariant(root, variant, jobs) {
  const options = Object.entries({ ...projectOptions, SIMD_OPTIONS: variant.simdOptions });
  const definitions = options.map(([key, value]) => `-D${key}=${value}`);
  inRoot(root, ['emcmake', 'cmake', '-S', '/src/engine', '-B', '/src/build', '-G', 'Ninja', ...definitions]);
  inRoot(root, ['ninja', '-C', '/src/build', '-j', String(jobs), 'wllama']);
}

/**
 * Runs a program of the toolchain with nothing of this machine's environment. Clang puts some of its work into the order of
 * addresses, so these are not random (`setarch -R`).
 */
export function inRoot(root, command) {
  mountKernelFolders(root);
  run('setarch', [
    '-R',
    'chroot',
    root,
    '/usr/bin/env',
    '-i',
    'HOME=/src',
    'PATH=/usr/bin',
    'LC_ALL=C.UTF-8',
    'SOURCE_DATE_EPOCH=0',
    'CCACHE_DISABLE=1',
    ...command,
  ]);
}

function mountKernelFolders(root) {
  const mounted = output('cat', ['/proc/mounts']);
  for (const folder of ['proc', 'dev']) {
    const target = join(root, folder);
    if (!mounted.includes(` ${target} `) && existsSync(target))
      run('mount', ['--bind', `/${folder}`, target]);
  }
}

/** Takes the machine's folders out of the root again, so that removing the work folder is safe. */
export function releaseRoot(root) {
  const mounted = output('cat', ['/proc/mounts']);
  for (const folder of ['proc', 'dev']) {
    if (mounted.includes(` ${join(root, folder)} `)) run('umount', [join(root, folder)]);
  }
}
