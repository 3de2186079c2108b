import { expect, it } from 'vitest';
import { parseRange } from './range.ts';

it.each([
  [undefined, { kind: 'whole' }],
  ['bytes=0-0', { kind: 'part', first: 0, last: 0 }],
  ['bytes=2-5', { kind: 'part', first: 2, last: 5 }],
  ['bytes=2-', { kind: 'part', first: 2, last: 9 }],
  ['bytes=2-999', { kind: 'part', first: 2, last: 9 }],
  ['bytes=-3', { kind: 'part', first: 7, last: 9 }],
  ['bytes=-999', { kind: 'part', first: 0, last: 9 }],
  ['bytes=10-', { kind: 'unsatisfiable' }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=5-2', { kind: 'whole' }],
  ['bytes=0-1,3-4', { kind: 'whole' }],
  ['bytes=-', { kind: 'whole' }],
  ['lines=0-1', { kind: 'whole' }],
])('reads %j over ten bytes', (range, expected) => expect(parseRange(range, 10)).toEqual(expected));

it('satisfies no range of an empty file', () => {
  expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
  expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'unsatisfiable' });
});
