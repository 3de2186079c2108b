import { expect, test } from 'vitest';
import { SpanQueue } from './spans.ts';

const segments = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ index, from: index * 10, to: index * 10 + 10 }));

function lengths(queue: SpanQueue): number[] {
  const taken: number[] = [];
  for (let span = queue.take(); span; span = queue.take()) taken.push(span.length);
  return taken;
}

test('spans are long at first and short at the end, and nothing is left out', () => {
  const taken = lengths(new SpanQueue(segments(64), 4));
  expect(taken[0]).toBe(4);
  expect(taken.slice(-7)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  expect(taken.reduce((sum, length) => sum + length)).toBe(64);
});

test('a small blob is shared by all connections', () => {
  expect(lengths(new SpanQueue(segments(4), 4))).toEqual([1, 1, 1, 1]);
});

test('a gap ends a span', () => {
  const [first, , third, fourth] = segments(4);
  if (!first || !third || !fourth) throw new Error('four segments');
  const queue = new SpanQueue([first, third, fourth], 1);
  expect(queue.take()).toEqual([first]);
  expect(queue.take()?.[0]).toEqual(third);
});
