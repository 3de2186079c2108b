import { expect, it } from 'vitest';
import type { ForeignOpen } from './protocol.ts';
import { toWireRequest } from './wire.ts';

const page = { origin: 'http://site.example', once: undefined };
const open = (changes: Partial<ForeignOpen> = {}): ForeignOpen => ({
  type: 'open',
  id: 1,
  method: 'POST',
  url: '/v1/chat/completions',
  headers: [],
  body: new Uint8Array([1]),
  ...changes,
});

it('says itself whose the request is, whatever the page says', () => {
  const headers: [string, string][] = [
    ['X-Sampan-Source', 'page'],
    ['x-sampan-origin', 'http://localhost:12434'],
    ['x-sampan-models', 'all'],
    ['content-type', 'application/json'],
  ];
  expect(toWireRequest(open({ headers }), page).headers).toEqual([
    ['content-type', 'application/json'],
    ['x-sampan-source', 'site'],
    ['x-sampan-origin', 'http://site.example'],
  ]);
});

it('leaves the page’s secrets with it, and values that no header has', () => {
  const headers: [string, string][] = [
    ['authorization', 'Bearer secret'],
    ['cookie', 'a=b'],
    ['accept', 'a\r\nx-sampan-source: page'],
    ['content-type', 'läng'],
    ['x-stainless-os', 'Linux'],
  ];
  expect(toWireRequest(open({ headers }), page).headers.map(([name]) => name)).toEqual([
    'x-stainless-os',
    'x-sampan-source',
    'x-sampan-origin',
  ]);
});

it('tells what the page was allowed once, in letters that a header has', () => {
  const scopeOf = (once: 'all' | readonly string[]) =>
    toWireRequest(open(), { ...page, once }).headers.find(([name]) => name === 'x-sampan-models')?.[1];
  expect(scopeOf('all')).toBe('all');
  expect(decodeURIComponent(scopeOf(['ai/a', '模型']) ?? '')).toBe('["ai/a","模型"]');
  expect(scopeOf(['模型'])).toMatch(/^[\x20-\x7e]+$/);
});

it('carries no body with a reading request, and none above 10 MiB', () => {
  expect(toWireRequest(open({ method: 'GET' }), page).body).toBeUndefined();
  expect(toWireRequest(open({ body: new Uint8Array(0) }), page).body).toBeUndefined();
  expect(() => toWireRequest(open({ body: new Uint8Array(10 * 1024 * 1024 + 1) }), page)).toThrow(/10 MiB/);
});
