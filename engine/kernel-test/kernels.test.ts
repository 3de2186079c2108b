import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { describeKernels } from './kernel-suite';

const file = (name: string) => readFile(new URL(`./${name}.wasm`, import.meta.url));

describeKernels('plain SIMD', () => file('kernels-simd'));

describeKernels('relaxed SIMD', async () => {
  const wasm = await file('kernels-relaxed');
  // Node 20 has it behind a flag.
  if (!WebAssembly.validate(wasm)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return wasm;
});
