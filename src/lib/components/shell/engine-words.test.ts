import { expect, it } from 'vitest';
import type { Rung, StatusJson } from '#lib/model/wire.ts';
import { deviceHint, deviceWords } from './engine-words.ts';

function status(rung: Rung, reason?: string): StatusJson {
  return {
    version: '1',
    isolated: true,
    threads: rung === 'wasm' ? 1 : 4,
    gpu: { name: 'Radeon', f16: true },
    compute: {
      rung,
      ...(reason !== undefined && { reason }),
      pinned: false,
      rungs: [],
      wasm_build: 'relaxed SIMD',
      wasm_builds: [],
    },
    storage: { used_bytes: 0, quota_bytes: 0, persisted: false },
    relay: false,
  };
}

it.each([
  ['webgpu-f16', 'Radeon · WebGPU f16'],
  ['webgpu', 'Radeon · WebGPU f32 · 4 threads'],
  ['wasm-threads', 'CPU · 4 threads'],
  ['wasm', 'CPU · 1 thread'],
] as const)('on the rung %s the device is “%s”, whatever GPU there is', (rung, words) => {
  expect(deviceWords(status(rung))).toBe(words);
});

it('says why it is that rung, and with which build the CPU computes', () => {
  expect(deviceHint(status('webgpu-f16'))).toBe('Check this device');
  expect(deviceHint(status('wasm', 'no WebGPU'))).toBe(
    'No WebGPU. On the CPU: llama.cpp, relaxed SIMD. Check this device',
  );
});
