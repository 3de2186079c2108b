import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyText } from './reply-text.ts';

/** What is sent of a reply that grows by these pieces. */
function sent(pieces: readonly string[], stops: readonly string[]): { parts: string[]; stopped: boolean } {
  const text = new ReplyText(stops);
  const parts: string[] = [];
  let reply = '';
  for (const piece of pieces) {
    parts.push(text.advance((reply += piece)));
    if (text.stopped) return { parts, stopped: true };
  }
  parts.push(text.end(reply));
  return { parts, stopped: text.stopped };
}

describe('the text of a growing reply', () => {
  it('is sent as it comes', () => {
    expect(sent(['1', ', 2', ', 3'], [])).toEqual({ parts: ['1', ', 2', ', 3', ''], stopped: false });
  });

  it('ends before a stop text that came in pieces, and no piece of it was sent', () => {
    expect(sent(['1', ', 2', ',', ' 3', ', 4'], [', 3'])).toEqual({
      parts: ['1', ', 2', '', ''],
      stopped: true,
    });
  });

  it('has what only looked like a stop text', () => {
    expect(sent(['1', ',', ' 2', ','], [', 3']).parts.join('')).toBe('1, 2,');
  });

  it('ends at the first of several stop texts in one piece', () => {
    expect(sent(['a STOP b END c STOP'], ['END', 'STOP'])).toEqual({ parts: ['a '], stopped: true });
  });

  it('has no halves of characters, and loses those that never become whole', () => {
    const text = new ReplyText([]);
    expect(text.advance('a\uFFFD')).toBe('a');
    expect(text.advance('a🙂')).toBe('🙂');
    expect(text.end('a🙂\uFFFD')).toBe('');
  });

  it('takes an empty stop text for none', () => {
    expect(sent(['ab'], ['']).parts.join('')).toBe('ab');
  });

  it('is the same however it was cut, and never holds a stop text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(letters), fc.array(letters, { maxLength: 3 }), (pieces, stops) => {
        const whole = pieces.join('');
        // Letter by letter: what is complete first ends the reply, the longest of those that are complete together.
        const complete = (length: number) =>
          stops.filter((stop) => stop !== '' && whole.slice(0, length).endsWith(stop));
        const lengths = Array.from({ length: whole.length }, (_, index) => index + 1);
        const length = lengths.find((each) => complete(each).length > 0) ?? 0;
        const longest = Math.max(0, ...complete(length).map((stop) => stop.length));
        const end = length === 0 ? whole.length : length - longest;
        expect(sent(pieces, stops).parts.join('')).toBe(whole.slice(0, end));
      }),
      {
        examples: [
          [
            ['ac', 'b'],
            ['acb', 'c'],
          ],
          [['acb'], ['acb', 'c']],
        ],
      },
    );
  });
});
