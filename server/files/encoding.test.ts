import { expect, it } from 'vitest';
import { acceptedEncodings } from './encoding.ts';

it.each([
  [undefined, []],
  ['', []],
  ['identity', []],
  ['gzip', ['gzip']],
  ['gzip, deflate, br', ['br', 'gzip']],
  ['GZIP;q=0.5, br;q=0', ['gzip']],
  ['*', ['br', 'gzip']],
  ['*;q=0, gzip', ['gzip']],
  ['br;q=high', []],
])('takes from %j', (header, expected) => expect(acceptedEncodings(header)).toEqual(expected));
