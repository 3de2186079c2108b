import fc from 'fast-check';
import { expect, it } from 'vitest';
import { helloVersion, parsePageMessage } from './protocol.ts';

const open = { type: 'open', id: 1, method: 'POST', url: '/v1/models', headers: [['accept', '*/*']] };

it('reads what sampan.js sends', () => {
  expect(parsePageMessage({ ...open, body: new Uint8Array(3) })).toMatchObject({ url: '/v1/models' });
  expect(parsePageMessage({ type: 'credit', id: 1, bytes: 65_536 })).toEqual({
    type: 'credit',
    id: 1,
    bytes: 65_536,
  });
  expect(parsePageMessage({ type: 'bye' })).toEqual({ type: 'bye' });
  expect(helloVersion({ sampan: 'hello', version: 1 })).toBe(1);
});

it.each<[string, unknown]>([
  ['a number that is used for nothing', { ...open, id: 0 }],
  ['a number that is none', { ...open, id: Number.NaN }],
  ['another origin in place of a path', { ...open, url: 'http://site.example/' }],
  ['a path of 10 000 characters', { ...open, url: `/${'a'.repeat(10_000)}` }],
  ['a method of two words', { ...open, method: 'GET /' }],
  ['a thousand headers', { ...open, headers: Array.from({ length: 1000 }, () => ['a', 'b']) }],
  ['headers of one part', { ...open, headers: [['a']] }],
  ['a body of text', { ...open, body: 'text' }],
  ['credit that takes back', { type: 'credit', id: 1, bytes: -1 }],
  ['credit without end', { type: 'credit', id: 1, bytes: Number.POSITIVE_INFINITY }],
  ['a message of the window', { type: 'welcome' }],
  ['nothing', null],
])('takes a message with %s for none', (_name, data) => {
  expect(parsePageMessage(data)).toBeUndefined();
});

it('throws at nothing', () => {
  fc.assert(
    fc.property(fc.anything(), (data) => {
      parsePageMessage(data);
      expect(helloVersion(data)).toBeUndefined();
    }),
  );
});
