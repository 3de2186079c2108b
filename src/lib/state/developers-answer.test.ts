import { describe, expect, it } from 'vitest';
import { AnswerText } from './developers-answer.ts';

function joined(contentType: string, pieces: readonly string[]): string {
  const answer = new AnswerText(contentType);
  for (const piece of pieces) answer.feed(piece);
  answer.finish(pieces.join(''));
  return answer.text;
}

describe('the text of an answer', () => {
  it('is joined from chunks, wherever the stream is cut', () => {
    const stream = [
      ': waiting\n\n',
      'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n',
      'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\ndata: {"choi',
      'ces":[{"delta":{"content":"lo"}}]}\n\ndata: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n',
    ];
    expect(joined('text/event-stream; charset=utf-8', stream)).toBe('Hello');
  });

  it('is that of a whole completion, chat or not', () => {
    expect(joined('application/json', ['{"choices":[{"message":{"content":', '"Hi"}}]}'])).toBe('Hi');
    expect(joined('application/json', ['{"choices":[{"text":"Hi"}]}'])).toBe('Hi');
  });

  it('is empty where no model spoke', () => {
    expect(joined('application/json', ['[]'])).toBe('');
    expect(joined('application/json', ['{"choices":["?"]}'])).toBe('');
    expect(joined('text/plain', ['{"choices":[{"text":"Hi"}]}'])).toBe('');
    expect(joined('text/event-stream', ['data: {broken\n\n'])).toBe('');
  });
});
