import { expect, test } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { Pins } from './pins.ts';

const one: Digest = `sha256:${'1'.repeat(64)}`;
const two: Digest = `sha256:${'2'.repeat(64)}`;

test('a blob is held until everyone has let go of it', () => {
  const pins = new Pins();
  const first = pins.hold([one]);
  const second = pins.hold([one, two]);
  first();
  first();
  expect(pins.watch().has(one)).toBe(true);
  second();
  expect(pins.watch().has(one)).toBe(false);
  expect(pins.watch().has(two)).toBe(false);
});

test('what was held during a watch counts as held until the watch ends', () => {
  const pins = new Pins();
  const release = pins.hold([one]);
  const watch = pins.watch();
  release();
  pins.hold([two])();
  expect([one, two].map((digest) => watch.has(digest))).toEqual([true, true]);
  watch.stop();
  expect(pins.watch().has(one)).toBe(false);
});
