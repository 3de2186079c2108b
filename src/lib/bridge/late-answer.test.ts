import { describe, expect, it } from 'vitest';
import { asEvents, isEventStreamWanted } from './late-answer.ts';

const encode = (text: string) => new TextEncoder().encode(text);

describe('isEventStreamWanted', () => {
  it.each([
    ['{"stream":true}', [], true],
    ['{"stream":false}', [], false],
    ['{"stream":"true"}', [], false],
    ['{}', [], false],
    ['null', [], false],
    ['not json', [], false],
    ['{}', [['accept', 'text/event-stream']], true],
  ] as [string, [string, string][], boolean][])('%s with headers %j: %s', (body, headers, expected) => {
    expect(isEventStreamWanted({ headers, body: encode(body) })).toBe(expected);
  });

  it('is false for a request without a body', () => {
    expect(isEventStreamWanted({ headers: [], body: undefined })).toBe(false);
  });
});

describe('asEvents', () => {
  it('leaves an event stream as it is', async () => {
    const answer = new Response('data: 1\n\n', {
      headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    });
    expect(await (await asEvents(answer)).text()).toBe('data: 1\n\n');
  });

  it('makes one event of anything else', async () => {
    expect(await (await asEvents(new Response('{"error":1}\n'))).text()).toBe('data: {"error":1}\n\n');
    expect(await (await asEvents(new Response('two\nlines'))).text()).toBe('data: two\ndata: lines\n\n');
  });
});
