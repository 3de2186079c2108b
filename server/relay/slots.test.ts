import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

it('gives each client its own slots, and takes them back', () => {
  const slots = new Slots(2);
  const release = slots.take('a');
  slots.take('a');
  expect(() => slots.take('a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  slots.take('b');
  release();
  slots.take('a');
  expect(() => slots.take('a')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
});
