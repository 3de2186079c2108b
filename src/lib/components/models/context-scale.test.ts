import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contextAt, contextSteps, positionOf } from './context-scale.ts';

it('reaches from the smallest to what was trained', () => {
  expect(contextAt(0, 40_960)).toBe(512);
  expect(contextAt(contextSteps, 40_960)).toBe(40_960);
  expect(contextAt(contextSteps, undefined)).toBe(32_768);
});

it('stays within its ends for any size and any model', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.option(fc.nat(2_000_000)), (size, trained) => {
      const position = positionOf(size, trained ?? undefined);
      expect(position).toBeGreaterThanOrEqual(0);
      expect(position).toBeLessThanOrEqual(contextSteps);
      expect(contextAt(position, trained ?? undefined)).toBeGreaterThanOrEqual(512);
    }),
  );
});

it('comes back to about the same place', () => {
  for (let position = 10; position <= contextSteps; position += 10) {
    expect(Math.abs(positionOf(contextAt(position, 131_072), 131_072) - position)).toBeLessThanOrEqual(5);
  }
});
