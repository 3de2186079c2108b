import { describe, expect, it } from 'vitest';
import { rungs } from '#lib/model/wire.ts';
import { heldTo, ladderOf } from './ladder.ts';
import type { Hardware } from './probe.ts';

const gpu = { name: 'Radeon', f16: true, maxBufferBytes: 1e9 };
const best: Hardware = { isolated: true, cores: 8, gpu };
const oldGpu = { ...best, gpu: { ...gpu, f16: false } };
const noGpu = { ...best, gpu: undefined };
const bare: Hardware = { isolated: false, cores: 8, gpu: undefined };

describe('the ladder', () => {
  it.each([
    ['webgpu-f16', undefined, best],
    ['webgpu', 'the GPU has no shader-f16', oldGpu],
    ['wasm-threads', 'no WebGPU', noGpu],
    ['wasm', 'no WebGPU; the page is not isolated, so no threads', bare],
    ['wasm', 'no WebGPU; there is one processor core', { ...noGpu, cores: 1 }],
  ])('stands on %s: %s', (rung, reason, hardware) => {
    expect(ladderOf(hardware, 'auto')).toMatchObject({ rung, pinned: false });
    expect(ladderOf(hardware, 'auto').reason).toBe(reason);
  });

  it('lists every rung from the top, each that is missing with its reason', () => {
    expect(ladderOf(bare, 'auto').rungs).toEqual([
      { rung: 'webgpu-f16', available: false, reason: 'no WebGPU' },
      { rung: 'webgpu', available: false, reason: 'no WebGPU' },
      { rung: 'wasm-threads', available: false, reason: 'the page is not isolated, so no threads' },
      { rung: 'wasm', available: true },
    ]);
    expect(ladderOf(best, 'auto').rungs.every(({ available }) => available)).toBe(true);
  });

  it('takes the one that is pinned, and shows engines nothing above it', () => {
    const shown = rungs.map((rung) => {
      expect(ladderOf(best, rung)).toMatchObject({ rung, pinned: true });
      const { isolated, gpu: seen, pinned } = heldTo(best, rung);
      return [seen?.f16, isolated, pinned];
    });
    expect(shown).toEqual([
      [true, true, 'pinned to WebGPU with 16-bit floats'],
      [false, true, 'pinned to WebGPU without 16-bit floats'],
      [undefined, true, 'pinned to the CPU'],
      [undefined, false, 'pinned to one thread of the CPU'],
    ]);
    expect(heldTo(best, 'auto')).toBe(best);
  });

  it('goes without a pinned rung that the machine has lost, and says so', () => {
    expect(ladderOf(noGpu, 'webgpu')).toMatchObject({
      rung: 'wasm-threads',
      pinned: false,
      reason: 'pinned to WebGPU without 16-bit floats, which is not there: no WebGPU',
    });
    expect(heldTo(noGpu, 'webgpu')).toBe(noGpu);
  });
});
