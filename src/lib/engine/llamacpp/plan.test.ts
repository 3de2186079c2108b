import { describe, expect, it } from 'vitest';
import type { Hardware } from '#lib/engine/probe.ts';
import { describePlan, planOf } from './plan.ts';

const machine: Hardware = {
  isolated: true,
  cores: 4,
  gpu: { name: 'Radeon', f16: true, maxBufferBytes: 1e9 },
};
const chrome = { jspi: true, slowCompat: false };
const safari = { jspi: false, slowCompat: false };
const firefox = { jspi: false, slowCompat: true };
const bytes = 100 * 1024 * 1024;

describe('planOf', () => {
  it('takes the GPU where its adapter has shader-f16 and the browser JSPI', () => {
    const plan = planOf({ hardware: machine, browser: chrome, bytes });
    expect(plan).toMatchObject({ gpu: true, build: 'default', reason: undefined });
    expect(describePlan(plan)).toBe('GPU, Radeon');
  });

  it.each([
    ['no WebGPU', { ...machine, gpu: undefined }, chrome, undefined],
    [
      'the GPU has no shader-f16',
      { ...machine, gpu: { name: 'Old', f16: false, maxBufferBytes: 1e9 } },
      chrome,
      undefined,
    ],
    ['the browser has no JSPI', machine, safari, undefined],
    ['as configured', machine, chrome, 0],
  ])('falls back to the CPU: %s', (reason, hardware, browser, gpuLayers) => {
    const plan = planOf({ hardware, browser, bytes }, { gpuLayers });
    expect(plan).toMatchObject({ gpu: false, threads: 4, reason });
    expect(describePlan(plan)).toBe(`CPU, 4 threads (${reason})`);
  });

  it('computes in one thread where the page is not isolated, whatever is wanted', () => {
    const hardware = { isolated: false, cores: 8, gpu: undefined };
    const plan = planOf({ hardware, browser: chrome, bytes }, { threads: 6 });
    expect(plan).toMatchObject({ threads: 1, device: 'CPU, 1 thread' });
    expect(plan.reason).toBe('no WebGPU; the page is not isolated, so no threads');
  });

  it('says so where a person pinned a lower rung', () => {
    const pinned = { ...machine, gpu: undefined, pinned: 'pinned to one thread of the CPU', isolated: false };
    const plan = planOf({ hardware: pinned, browser: chrome, bytes });
    expect(describePlan(plan)).toBe('CPU, 1 thread (pinned to one thread of the CPU)');
    const above = { ...machine, pinned: 'pinned to WebGPU with 16-bit floats' };
    expect(planOf({ hardware: above, browser: chrome, bytes })).toMatchObject({ gpu: true });
  });

  it('never has more threads than there are cores', () => {
    expect(planOf({ hardware: machine, browser: chrome, bytes }, { threads: 64 }).threads).toBe(4);
  });

  it('takes the build that decodes faster on the CPU, and for a small model the one that starts faster', () => {
    const hardware = { ...machine, gpu: undefined };
    expect(planOf({ hardware, browser: chrome, bytes }).build).toBe('compat');
    expect(planOf({ hardware, browser: chrome, bytes: 1e6 })).toMatchObject({ build: 'default', threads: 1 });
    expect(planOf({ hardware, browser: safari, bytes: 1e6 }).build).toBe('compat');
    const seeing = { hardware, browser: chrome, bytes: 1e6, hasSenses: true };
    expect(planOf(seeing).threads, 'a projector is work for all').toBe(planOf({ ...seeing, bytes }).threads);
    expect(planOf({ hardware, browser: firefox, bytes }).build).toBe('default');
  });
});
