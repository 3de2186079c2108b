import { expect, it } from 'vitest';
import { followsAfter } from './follow.ts';

it.each([
  ['goes down with the list', true, 100, { offset: 200, distanceToEnd: 900, isByReader: true }, true],
  [
    'stops when the reader scrolls up',
    true,
    200,
    { offset: 150, distanceToEnd: 50, isByReader: true },
    false,
  ],
  [
    'stays when the list became shorter',
    true,
    200,
    { offset: 150, distanceToEnd: 0, isByReader: true },
    true,
  ],
  [
    'stays when the list moved up by itself',
    true,
    200,
    { offset: 150, distanceToEnd: 50, isByReader: false },
    true,
  ],
  [
    'does not begin while the reader goes up',
    false,
    200,
    { offset: 190, distanceToEnd: 20, isByReader: true },
    false,
  ],
  [
    'does not begin far from the end',
    false,
    200,
    { offset: 300, distanceToEnd: 400, isByReader: true },
    false,
  ],
  ['begins again near the end', false, 200, { offset: 300, distanceToEnd: 20, isByReader: true }, true],
] as const)('%s', (_name, isFollowing, before, place, after) => {
  expect(followsAfter(isFollowing, before, place)).toBe(after);
});
