import { describe, expect, it } from 'vitest';
import { SpareBuffers } from './spare-buffers.ts';

describe('SpareBuffers', () => {
  it('lends a buffer again once it is back', () => {
    const spares = new SpareBuffers(1000);
    const first = spares.lend(100);
    expect(spares.lend(100).buffer).not.toBe(first.buffer);
    spares.add(first.buffer);
    expect(spares.lend(100).buffer).toBe(first.buffer);
    expect(spares.lend(100).buffer).not.toBe(first.buffer);
  });

  it('lends exactly the length that is asked for, out of a larger one if need be', () => {
    const spares = new SpareBuffers(1000);
    const large = new ArrayBuffer(500);
    spares.add(large);
    const lent = spares.lend(60);
    expect(lent).toHaveLength(60);
    expect(lent.buffer).toBe(large);
  });

  it('keeps what is too small for those who need less', () => {
    const spares = new SpareBuffers(1000);
    const [small, large] = [new ArrayBuffer(50), new ArrayBuffer(500)];
    spares.add(large);
    spares.add(small);
    expect(spares.lend(400).buffer).toBe(large);
    expect(spares.lend(400).buffer).not.toBe(small);
    expect(spares.lend(50).buffer).toBe(small);
  });

  it('keeps no more than its limit, however much comes back', () => {
    const spares = new SpareBuffers(1000);
    const returned = Array.from({ length: 20 }, () => new ArrayBuffer(300));
    for (const buffer of returned) spares.add(buffer);
    const lent = returned.map(() => spares.lend(300).buffer);
    expect(lent.filter((buffer) => returned.includes(buffer))).toHaveLength(3);
    spares.add(new ArrayBuffer(1001));
    expect(spares.lend(1).buffer.byteLength).toBe(1);
    const again = new ArrayBuffer(1000);
    spares.add(again);
    expect(spares.lend(1).buffer).toBe(again);
  });
});
