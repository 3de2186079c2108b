import relaxed from './kernels-relaxed.wasm?url';
import simd from './kernels-simd.wasm?url';
import { describeKernels } from './kernel-suite';

const file = async (url: string) => (await fetch(url)).arrayBuffer();

describeKernels('plain SIMD', () => file(simd));
describeKernels('relaxed SIMD', () => file(relaxed));
