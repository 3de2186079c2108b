import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expressionPattern, findSpans, parseQuery, textPattern } from './log-query.ts';

it.each([
  ['', { kind: 'none' }],
  ['   ', { kind: 'none' }],
  ['timeout', { kind: 'text', text: 'timeout' }],
  ['/v1', { kind: 'text', text: '/v1' }],
  ['//', { kind: 'text', text: '//' }],
  ['/a|b/', { kind: 'expression', source: 'a|b', flags: '' }],
  ['/a/iu', { kind: 'expression', source: 'a', flags: 'iu' }],
])('reads %j', (typed, query) => {
  expect(parseQuery(typed)).toEqual(query);
});

it.each(['/(/', '/[z-a]/', '/a/gg', '/a/y', '/(?<n>a)(?<n>b)/'])('refuses %s with a reason', (typed) => {
  const query = parseQuery(typed);
  expect(query.kind).toBe('invalid');
  if (query.kind === 'invalid') expect(query.message.length).toBeGreaterThan(20);
});

it('finds words in any case, and every sign stands for itself', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (word, around) => {
      const start = around.length;
      const spans = findSpans(textPattern(word), `${around}${word}`);
      expect(spans).toBeDefined();
      expect(spans?.every((span) => span.end <= start + word.length)).toBe(true);
    }),
  );
  expect(findSpans(textPattern('ERR'), 'an err.')).toEqual([{ start: 3, end: 6 }]);
  expect(findSpans(textPattern('a.c'), 'abc')).toBeUndefined();
});

it('finds every place, and matches of nothing are matches', () => {
  const spans = findSpans(expressionPattern({ kind: 'expression', source: '\\d+', flags: '' }), '1 22 x');
  expect(spans).toEqual([
    { start: 0, end: 1 },
    { start: 2, end: 4 },
  ]);
  expect(findSpans(expressionPattern({ kind: 'expression', source: 'x*', flags: '' }), 'abc')).toEqual([]);
});
