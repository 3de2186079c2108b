import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerpt, keepText, readAsked } from './texts.ts';

describe('keepText', () => {
  it('keeps a short text and says what is missing of a long one', () => {
    expect(keepText('abc', 3)).toEqual({ text: 'abc' });
    expect(keepText('abcde', 3)).toEqual({ text: 'abc', cut_chars: 2 });
  });

  it('does not tear a pair of surrogates', () => {
    expect(keepText('ab😀c', 3)).toEqual({ text: 'ab', cut_chars: 3 });
  });
});

describe('readAsked', () => {
  it.each([
    [
      { model: 'm', messages: [{ content: 'a' }, { content: [{ type: 'text', text: 'b' }, { text: 'c' }] }] },
      'b c',
    ],
    [{ messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:' } }] }] }, '[image_url]'],
    [{ messages: [] }, ''],
    [{ prompt: ['a', 'b'] }, 'a'],
    [{ input: 'text' }, 'text'],
    [{ query: 'q', documents: ['d', { text: 'e' }] }, 'q'],
    [{ messages: [{ content: null }, { role: 'user' }] }, ''],
  ])('finds what was asked last in %j', (body, last) => {
    expect(readAsked(body).last).toBe(last);
  });

  it('parts the parameters from what is asked', () => {
    const body = { model: 'm', messages: [{ content: 'a' }], temperature: 1, stop: ['x'] };
    expect(readAsked(body)).toEqual({
      model: 'm',
      prompt: 'a',
      last: 'a',
      parameters: { temperature: 1, stop: ['x'] },
    });
  });

  it('reads any value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => typeof readAsked(value).prompt === 'string'));
    fc.assert(fc.property(fc.jsonValue(), (messages) => typeof readAsked({ messages }).last === 'string'));
  });
});

describe('excerpt', () => {
  it('is one line of at most 200 characters', () => {
    expect(excerpt('  a\n\tb  ')).toBe('a b');
    fc.assert(
      fc.property(fc.string({ maxLength: 1000, unit: 'binary' }), (text) => {
        const line = excerpt(text);
        return line.length <= 200 && !/[\r\n]/.test(line);
      }),
    );
  });
});
