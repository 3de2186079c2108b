/** The kernels alone, with their scalar references, as the small modules that kernels.test.ts drives. */
import { copyFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './compile.mjs';

const ggml = '/src/engine/llama.cpp/ggml';
const includes = ['include', 'src', 'src/ggml-cpu', 'src/ggml-cpu/arch/wasm/kernels'].map(
  (folder) => `-I${ggml}/${folder}`,
);
const common = ['-O2', '-msimd128', '-DNDEBUG', ...includes];

/** Compiles the test module of a variant; `folder` is engine/kernel-test. */
export function compileKernelTest(root, variant, folder) {
  copyFileSync(join(folder, 'driver.cpp'), join(root, 'src/driver.cpp'));
  const options = [...common, ...(variant.simdOptions === '' ? [] : [variant.simdOptions])];
  const objects = [
    ...['kernels', 'attention'].map((name) => [
      `${ggml}/src/ggml-cpu/arch/wasm/kernels/${name}.cpp`,
      'em++',
      ['-std=c++17', '-O3', ...options.slice(1)],
    ]),
    ['/src/driver.cpp', 'em++', ['-std=c++17', ...options]],
    [`${ggml}/src/ggml-cpu/quants.c`, 'emcc', common],
    [`${ggml}/src/ggml-quants.c`, 'emcc', common],
  ].map(([source, compiler, flags], i) => {
    const object = `/src/kernel-test-${i}.o`;
    inRoot(root, [compiler, ...flags, '-c', source, '-o', object]);
    return object;
  });
  inRoot(root, [
    'em++', '-O2', '--no-entry', '-sSTANDALONE_WASM', '-sINITIAL_MEMORY=8MB', '-sALLOW_MEMORY_GROWTH=0',
    '-sFILESYSTEM=0', '-Wl,--gc-sections', ...objects, '-o', '/src/kernel-test.wasm',
  ]); // prettier-ignore
  const target = join(folder, `kernels-${variant.name}.wasm`);
  copyFileSync(join(root, 'src/kernel-test.wasm'), target);
  chmodSync(target, 0o644);
}
