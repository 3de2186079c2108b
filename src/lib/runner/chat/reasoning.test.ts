import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReasoningSplitter } from './reasoning.ts';

function split(pieces: readonly string[]): { text: string; reasoning: string } {
  const splitter = new ReasoningSplitter();
  const events = [...pieces.flatMap((piece) => splitter.add(piece)), ...splitter.end()];
  const join = (type: string) =>
    events.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('');
  return { text: join('text'), reasoning: join('reasoning') };
}

const cases: readonly [string, { text: string; reasoning: string }][] = [
  ['<think>\nLet me think.\n</think>\n\nDone.', { reasoning: 'Let me think.', text: 'Done.' }],
  ['\n<think>x</think>y', { reasoning: 'x', text: 'y' }],
  ['<think></think>Hi', { reasoning: '', text: 'Hi' }],
  ['<think>a </thin b</think>c', { reasoning: 'a </thin b', text: 'c' }],
  ['<think>never closed', { reasoning: 'never closed', text: '' }],
  ['Hello <think>no</think>', { reasoning: '', text: 'Hello <think>no</think>' }],
  ['  two spaces', { reasoning: '', text: '  two spaces' }],
  ['<th', { reasoning: '', text: '<th' }],
  ['<b>bold</b>', { reasoning: '', text: '<b>bold</b>' }],
  ['', { reasoning: '', text: '' }],
];

describe('a thinking block at the start', () => {
  it.each(cases)('splits %j', (text, expected) => {
    expect(split([text])).toEqual(expected);
  });

  it('is split alike however the text is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.array(fc.nat(12)), ([text, expected], cuts) => {
        const pieces: string[] = [];
        let rest = text;
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        expect(split([...pieces, rest])).toEqual(expected);
      }),
    );
  });
});
