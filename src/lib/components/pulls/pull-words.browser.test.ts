import { expect, it } from 'vitest';
import { pullSample } from '#lib/state/testing/wire-samples.ts';
import { announcement, formatPart } from './pull-words.ts';

it('says a shared unit once', () => {
  expect(formatPart(1_310_000_000, 2_020_000_000)).toBe('1.31 of 2.02 GB');
  expect(formatPart(64_000_000, 2_020_000_000)).toBe('64.0 MB of 2.02 GB');
});

it('announces quarters only', () => {
  const at = (received_bytes: number) => announcement(pullSample({ received_bytes }), 'SmolLM2');
  expect(at(0)).toBe('SmolLM2: 0 percent.');
  expect(at(67_000_000)).toBe('SmolLM2: 0 percent.');
  expect(at(68_000_000)).toBe('SmolLM2: 25 percent.');
  expect(at(210_000_000)).toBe('SmolLM2: 75 percent.');
});

it('announces every end', () => {
  expect(announcement(pullSample({ status: 'done' }), 'SmolLM2')).toBe('SmolLM2 is ready.');
  expect(announcement(pullSample({ status: 'paused' }), 'SmolLM2')).toBe('SmolLM2 is paused.');
});
