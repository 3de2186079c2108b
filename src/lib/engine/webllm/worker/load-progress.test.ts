import { expect, it } from 'vitest';
import { LoadProgress } from './load-progress.ts';

it('makes one way of WebLLM’s two, never backwards', () => {
  const progress = new LoadProgress();
  const seen = [NaN, 0, 0.5, 1, 0.25, 0.2, 1, 1, 3].map((fraction) => progress.add(fraction));
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(1);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen[3]).toBeLessThan(1);
  expect(seen[4]).toBeGreaterThan(seen[3] ?? 1);
});
