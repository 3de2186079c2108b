import { expect, it } from 'vitest';
import { figureOf } from './figure.ts';

it('is the mean and the deviation of a sample', () => {
  expect(figureOf([2, 4, 4, 4, 5, 5, 7, 9])).toMatchObject({ mean: 5, sd: Math.sqrt(32 / 7) });
  expect(figureOf([3])).toEqual({ mean: 3, sd: 0, samples: [3] });
});
