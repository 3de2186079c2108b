import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ReasoningSplitter, splitReasoning } from './reasoning.ts';

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

describe('probabilities', () => {
  async function* spoken(...tokens: string[]): AsyncGenerator<ChatEvent, void, undefined> {
    for (const token of tokens) {
      yield await Promise.resolve<ChatEvent>({
        type: 'text',
        text: token,
        logprobs: [{ token, bytes: [], logprob: -1, top: [] }],
      });
    }
  }

  async function told(...tokens: string[]): Promise<string[]> {
    const names: string[] = [];
    for await (const event of splitReasoning(spoken(...tokens))) {
      if (event.type === 'text') names.push(...(event.logprobs ?? []).map(({ token }) => token));
    }
    return names;
  }

  it('stay with the text that they are of, held back or not', async () => {
    expect(await told('Hello', ' you')).toEqual(['Hello', ' you']);
    expect(await told('<', 'b', '>')).toEqual(['<', 'b', '>']);
  });

  it('are not told of a thought', async () => {
    expect(await told('<think>', 'Hm', '.', '</think>', '\n\n', 'Yes', '!')).toEqual(['Yes', '!']);
  });
});
