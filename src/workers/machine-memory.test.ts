import { expect, it } from 'vitest';
import { machineFor } from './machine-memory.ts';

const gpu = { name: 'Radeon', f16: false, maxBufferBytes: 1e9 };
const machine = { isolated: true, cores: 4, gpu };
const unknown = { budgetBytes: Infinity, limitBytes: null };

it('computes llama.cpp on the CPU and WebLLM on the GPU where that has no 16-bit floats', () => {
  expect(machineFor('webllm', machine, unknown)).toEqual({
    device: 'gpu',
    wasmHeapBytes: 2 ** 32,
    adapterMaxBufferBytes: 1e9,
  });
  expect(machineFor('llama.cpp', machine, unknown)).toEqual({ device: 'cpu', wasmHeapBytes: 2 ** 32 });
});

it('has as much memory as a person says, on the GPU too', () => {
  const limited = { budgetBytes: 1e9, limitBytes: 1e9 };
  expect(machineFor('webllm', machine, limited)).toMatchObject({
    wasmHeapBytes: 1e9,
    adapterMemoryGuessBytes: 1e9,
  });
});
