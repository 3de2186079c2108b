import { expect, it } from 'vitest';
import { entriesFor, originEntry, ruledBy } from './origin.ts';

it('lists the entries that speak of an origin, the most exact first', () => {
  expect(entriesFor('http://localhost:3000')).toEqual(['http://localhost:3000', 'http://localhost:*', '*']);
  expect(entriesFor('https://Site.example')).toEqual(['https://site.example', 'https://site.example:*', '*']);
  expect(entriesFor('http://[::1]:80')).toEqual(['http://[::1]:80', 'http://[::1]:*', '*']);
  expect(entriesFor('null')).toEqual(['null', '*']);
});

it('lets the more exact entry count, and a refusal before a permission of the same exactness', () => {
  const rules = {
    allowed: ['http://localhost:3000', 'http://both.example', '*'],
    refused: ['http://localhost:*', 'http://both.example'],
  };
  expect(ruledBy(rules, 'http://localhost:3000')).toBe('allowed');
  expect(ruledBy(rules, 'http://localhost:4000')).toBe('refused');
  expect(ruledBy(rules, 'http://both.example')).toBe('refused');
  expect(ruledBy(rules, 'http://other.example')).toBe('allowed');
  expect(ruledBy({ allowed: [], refused: [] }, 'http://other.example')).toBeUndefined();
});

it('does not take a name that only begins like one of the list', () => {
  const rules = { allowed: ['http://localhost:*'], refused: [] };
  expect(ruledBy(rules, 'http://localhost.site.example')).toBeUndefined();
  expect(ruledBy(rules, 'https://localhost:1')).toBeUndefined();
});

it.each([
  'localhost:3000',
  'http://',
  'http://a/b',
  'http://a b',
  'null',
  'file:///x',
  'http://user@a',
  'javascript:1',
])('refuses %s as an entry', (text) => {
  expect(() => originEntry(text)).toThrow(/is no origin/);
});
