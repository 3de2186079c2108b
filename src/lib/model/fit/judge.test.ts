import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryNeed } from './gguf-memory.ts';
import { judgeFit, type Machine } from './judge.ts';

const need = (contextSize: number): MemoryNeed => {
  const cacheBytes = contextSize * 100_000;
  return { weightsBytes: 1e9, cacheBytes, computeBytes: 0, totalBytes: 1e9 + cacheBytes };
};
const cpu: Machine = { device: 'cpu', wasmHeapBytes: 4e9 };
const gpu: Machine = { device: 'gpu', wasmHeapBytes: 4e9, adapterMemoryGuessBytes: 2e9 };

describe('judgeFit', () => {
  it('says that a model fits, with the numbers', () => {
    expect(judgeFit({ contextSize: 4096, need }, cpu)).toEqual({
      verdict: 'fits',
      needBytes: 1_409_600_000,
      haveBytes: 3.9e9,
      sentence: 'The model needs about 1.41 GB of memory and this tab can use 3.90 GB.',
    });
  });

  it('calls it tight when little is left over, and names the context that would not be', () => {
    expect(judgeFit({ contextSize: 8192, need }, gpu)).toEqual({
      verdict: 'tight',
      needBytes: 1_819_200_000,
      haveBytes: 2e9,
      sentence:
        'The model needs about 1.82 GB of memory and the GPU has 2.00 GB. A context of 6912 tokens would fit.',
      suggestion: { contextSize: 6912 },
    });
  });

  it('calls it too large, and names the context that would fit', () => {
    const fit = judgeFit({ contextSize: 32_768, need }, gpu);
    expect(fit).toMatchObject({ verdict: 'too-large', suggestion: { contextSize: 6912 } });
  });

  it('suggests no context when the weights alone are too large', () => {
    const fit = judgeFit({ contextSize: 4096, need }, { ...gpu, adapterMemoryGuessBytes: 5e8 });
    expect(fit.suggestion).toBeUndefined();
    expect(fit.sentence).toContain('Choose a smaller model');
  });

  it('asks for storage first', () => {
    const fit = judgeFit({ contextSize: 4096, need }, { ...cpu, storageFreeBytes: 5e8 });
    expect(fit).toMatchObject({ verdict: 'too-large', needBytes: 1e9, haveBytes: 5e8 });
    expect(judgeFit({ contextSize: 4096, need }, { ...cpu, storageFreeBytes: 1e9 }).verdict).toBe('fits');
  });

  it('holds the largest buffer against the GPU, and not against the CPU', () => {
    const question = { contextSize: 4096, need, largestBufferBytes: 3e8 };
    const fit = judgeFit(question, { ...gpu, adapterMaxBufferBytes: 2.5e8 });
    expect(fit).toMatchObject({ verdict: 'too-large', needBytes: 3e8, haveBytes: 2.5e8 });
    expect(judgeFit(question, { ...cpu, adapterMaxBufferBytes: 2.5e8 }).verdict).toBe('fits');
  });

  it('does not know the memory of a GPU, and says so', () => {
    const unknown: Machine = { device: 'gpu', wasmHeapBytes: 4e9, adapterMaxBufferBytes: 1e9 };
    const fit = judgeFit({ contextSize: 4096, need }, unknown);
    expect(fit).toMatchObject({ verdict: 'tight', haveBytes: undefined });
    expect(fit.sentence).toContain('does not tell');
    const roomy = judgeFit({ contextSize: 4096, need }, { ...unknown, adapterMaxBufferBytes: 2e9 });
    expect(roomy).toMatchObject({ verdict: 'fits', haveBytes: undefined });
  });

  it('suggests the largest context that fits easily, and never a larger one than was asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 1, max: 8e9 }),
        (contextSize, have) => {
          const fit = judgeFit({ contextSize, need }, { ...gpu, adapterMemoryGuessBytes: have });
          const suggested = fit.suggestion?.contextSize;
          if (suggested === undefined) return;
          expect(suggested).toBeLessThan(contextSize);
          expect(
            judgeFit({ contextSize: suggested, need }, { ...gpu, adapterMemoryGuessBytes: have }).verdict,
          ).toBe('fits');
          const next = Math.min(contextSize, suggested + 256);
          expect(need(next).totalBytes).toBeGreaterThan(have * 0.85);
        },
      ),
    );
  });
});
