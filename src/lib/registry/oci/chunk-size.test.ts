import { describe, expect, it } from 'vitest';
import { ChunkSize, takesChunks, type ChunkLimits } from './chunk-size.ts';

const mebibyte = 2 ** 20;
const direct: ChunkLimits = { minBytes: 0, carrier: 'direct' };

describe('ChunkSize', () => {
  it.each([
    ['direct', 64],
    ['relay', 16],
  ] as const)('grows on a quick line (%s), to %d MiB', (carrier, mebibytes) => {
    const size = new ChunkSize({ minBytes: 0, carrier });
    expect(size.bytes).toBe(8 * mebibyte);
    for (let times = 0; times < 5; times++) size.adapt(10);
    expect(size.bytes).toBe(mebibytes * mebibyte);
  });

  it('shrinks on a slow line, to a quarter of a mebibyte', () => {
    const size = new ChunkSize(direct);
    size.adapt(60_000);
    expect(size.bytes).toBe(4 * mebibyte);
    for (let times = 0; times < 9; times++) size.adapt(60_000);
    expect(size.bytes).toBe(mebibyte / 4);
  });

  it('stays as it is when a chunk takes some seconds', () => {
    const size = new ChunkSize(direct);
    size.adapt(3000);
    expect(size.bytes).toBe(8 * mebibyte);
  });

  it('is never less than the registry asks for', () => {
    const size = new ChunkSize({ minBytes: 20 * mebibyte, carrier: 'relay' });
    expect(size.bytes).toBe(20 * mebibyte);
    size.adapt(60_000);
    size.adapt(1);
    expect(size.bytes).toBe(20 * mebibyte);
    expect(size.shrink()).toBe('exhausted');
  });

  it('does not grow again after a refusal', () => {
    const size = new ChunkSize(direct);
    expect(size.shrink()).toBe('smaller');
    size.adapt(1);
    expect(size.bytes).toBe(4 * mebibyte);
    for (let times = 0; times < 4; times++) expect(size.shrink()).toBe('smaller');
    expect(size.shrink()).toBe('exhausted');
  });
});

describe('takesChunks', () => {
  it.each([
    ['direct', 64, true],
    ['direct', 65, false],
    ['relay', 32, true],
    ['relay', 33, false],
  ] as const)('%s, at least %d MiB: %s', (carrier, mebibytes, expected) => {
    expect(takesChunks({ carrier, minBytes: mebibytes * mebibyte })).toBe(expected);
  });
});
