import { describe, expect, it } from 'vitest';
import { ChatWriter } from './chat-writer.ts';
import { parseChatRequest } from './chat.ts';
import type { ChatEvent } from './events.ts';

const finish: ChatEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { promptTokens: 3, cachedTokens: 1, completionTokens: 2 },
  timings: { prefillTokens: 2, prefillMs: 4, decodeTokens: 2, decodeMs: 0 },
};
const logprob = {
  token: 'Hi',
  bytes: [72, 105],
  logprob: -0.5,
  top: [{ token: 'Yo', bytes: [89, 111], logprob: -Infinity }],
};
const wired = {
  token: 'Hi',
  bytes: [72, 105],
  logprob: -0.5,
  top_logprobs: [{ token: 'Yo', bytes: [89, 111], logprob: -9999 }],
};
const calls: readonly ChatEvent[] = [
  { type: 'tool-call', index: 0, id: 'call_a', name: 'f' },
  { type: 'tool-arguments', index: 0, text: '{"x"' },
  { type: 'tool-arguments', index: 0, text: ':1}' },
  { type: 'tool-call', index: 1, id: 'call_b', name: 'g' },
  { type: 'tool-arguments', index: 1, text: '{}' },
  { ...finish, reason: 'tool_calls' },
];

function writer(fields: object = {}) {
  return new ChatWriter(
    parseChatRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }], ...fields }),
    7000,
  );
}

function stream(events: readonly ChatEvent[], fields: object = {}) {
  const to = writer(fields);
  return events.flatMap((event) => to.chunks(event));
}

function whole(events: readonly ChatEvent[], fields: object = {}) {
  const to = writer(fields);
  for (const event of events) to.add(event);
  return to.completion();
}

describe('an answer with calls', () => {
  it('streams a name first and its arguments in pieces', () => {
    expect(stream(calls).map(({ choices }) => choices[0])).toMatchObject([
      {
        delta: {
          tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'f', arguments: '' } }],
        },
      },
      { delta: { tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] } },
      { delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] } },
      { delta: { tool_calls: [{ index: 1, id: 'call_b', function: { name: 'g' } }] } },
      { delta: { tool_calls: [{ index: 1, function: { arguments: '{}' } }] } },
      { delta: {}, finish_reason: 'tool_calls' },
    ]);
  });

  it('is whole with no content', () => {
    expect(whole(calls).choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
            { id: 'call_b', type: 'function', function: { name: 'g', arguments: '{}' } },
          ],
        },
        finish_reason: 'tool_calls',
      },
    ]);
  });

  it('keeps the text that came before them', () => {
    const [choice] = whole([{ type: 'text', text: 'Let me see.' }, ...calls]).choices;
    expect(choice?.message).toMatchObject({ content: 'Let me see.', tool_calls: [{}, {}] });
  });
});

describe('probabilities', () => {
  const events: readonly ChatEvent[] = [{ type: 'text', text: 'Hi', logprobs: [logprob] }, finish];

  it('come with each chunk, as numbers that JSON knows', () => {
    expect(stream(events)[0]?.choices[0]).toMatchObject({
      delta: { content: 'Hi' },
      logprobs: { content: [wired] },
    });
  });

  it('come with the whole, and not where nobody asked', () => {
    expect(whole(events).choices[0]?.logprobs).toEqual({ content: [wired] });
    expect(whole([{ type: 'text', text: 'Hi' }, finish]).choices[0]).not.toHaveProperty('logprobs');
  });
});

describe('several answers', () => {
  const events: readonly ChatEvent[] = [
    { type: 'text', text: 'a' },
    finish,
    { type: 'text', text: 'b', choice: 1 },
    { ...finish, choice: 1, reason: 'length', usage: { ...finish.usage, completionTokens: 4 } },
  ];

  it('stream under their numbers, with a role each and one usage after the last', () => {
    const chunks = stream(events, { n: 2, stream: true, stream_options: { include_usage: true } });
    expect(chunks.slice(0, 5).map(({ choices }) => choices[0])).toMatchObject([
      { index: 0, delta: { content: 'a' } },
      { index: 0, finish_reason: 'stop' },
      { index: 1, delta: { role: 'assistant' } },
      { index: 1, delta: { content: 'b' } },
      { index: 1, finish_reason: 'length' },
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4, total_tokens: 7 } });
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
  });

  it('are gathered side by side', () => {
    expect(whole(events, { n: 2 })).toMatchObject({
      choices: [
        { index: 0, message: { content: 'a' }, finish_reason: 'stop' },
        { index: 1, message: { content: 'b' }, finish_reason: 'length' },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4 },
    });
  });
});

it('refuses to call half an answer whole', () => {
  expect(() => whole([{ type: 'text', text: 'a' }])).toThrow();
});
