import { expect, test } from 'vitest';
import { formatGoDuration, parseGoDuration } from './go-duration.ts';

test.each([
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['.5s', 500],
  ['250ms', 250],
  ['0', 0],
  ['0s', 0],
  ['-1', Infinity],
  ['-1m', Infinity],
  ['+2s', 2000],
])('%s is %s ms', (text, ms) => expect(parseGoDuration(text)).toBe(ms));

test.each(['', '5', 'soon', '5 m', '5mm', 'm', '-', '--1s', '1h-2m', 'Infinity'])(
  '“%s” is no duration',
  (text) => expect(parseGoDuration(text)).toBeUndefined(),
);

test.each([
  [300_000, '5m0s'],
  [5_400_000, '1h30m0s'],
  [1500, '1.5s'],
  [20, '20ms'],
  [0, '0s'],
  [Infinity, '-1'],
])('%s ms is printed as %s and read back', (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text);
  expect(parseGoDuration(text)).toBe(ms);
});
