import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThoughtSplitter } from './thought-splitter.ts';

function split(prompt: string, pieces: readonly string[]): { thought: string; answer: string } {
  const splitter = new ThoughtSplitter(prompt);
  const parts = [...pieces.flatMap((piece) => [...splitter.add(piece)]), ...splitter.end()];
  const join = (wanted: string) => parts.map(({ kind, text }) => (kind === wanted ? text : '')).join('');
  return { thought: join('thought'), answer: join('answer') };
}

const cases: readonly [string, string, { thought: string; answer: string }][] = [
  ['', '<think>a\n</think>\n\nb', { thought: 'a', answer: 'b' }],
  ['', ' <think></think>b', { thought: '', answer: 'b' }],
  ['', '<think>a </thin b</think>c</think>', { thought: 'a </thin b', answer: 'c</think>' }],
  ['', '<think>a ', { thought: 'a', answer: '' }],
  ['', '<think>a</think>\n', { thought: 'a', answer: '' }],
  ['', ' a <think>b</think>', { thought: '', answer: ' a <think>b</think>' }],
  ['', '<thi', { thought: '', answer: '<thi' }],
  ['', '', { thought: '', answer: '' }],
  ['<think>', 'a</think>b', { thought: 'a', answer: 'b' }],
  ['<think>\n', 'a', { thought: 'a', answer: '' }],
  ['<think>\n\n</think>\n', 'a', { thought: '', answer: 'a' }],
].map(
  ([prompt, text, expected]) =>
    [prompt, text, expected] as [string, string, { thought: string; answer: string }],
);

describe('thoughts', () => {
  it.each(cases)('after %j are parted in %j', (prompt, text, expected) => {
    expect(split(prompt, [text]).answer).toBe(expected.answer);
    expect(split(prompt, [text]).thought.trim()).toBe(expected.thought);
  });

  it('are parted alike however the text is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.array(fc.nat(6)), ([prompt, text], lengths) => {
        const pieces: string[] = [];
        let rest = text;
        for (const length of lengths) {
          pieces.push(rest.slice(0, length));
          rest = rest.slice(length);
        }
        expect(split(prompt, [...pieces, rest])).toEqual(split(prompt, [text]));
      }),
    );
  });
});
