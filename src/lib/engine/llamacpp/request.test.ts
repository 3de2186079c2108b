import { describe, expect, it } from 'vitest';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import { isMedia } from './media.ts';
import { toChatParams, toCompletionParams, type Abilities } from './request.ts';
import { clientCallId, engineCallId } from './tool-call-id.ts';

const seeing: Abilities = { media: { image: true, audio: true, lacksThreads: false }, vocabularySize: 100 };
const reading: Abilities = { ...seeing, media: { image: false, audio: false, lacksThreads: false } };
const hello = [{ role: 'user', content: 'Hello!' }];

function params(fields: object, abilities = reading): object {
  return toChatParams(parseChatRequest({ model: 'x', messages: hello, ...fields }), abilities);
}

const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } };
const sound = { type: 'input_audio', input_audio: { data: 'BAUG', format: 'wav' } };

describe('toChatParams', () => {
  it('leaves out what was not given', () => {
    expect(params({ temperature: null, stop: '' })).toEqual({
      messages: hello,
      stream_options: { include_usage: true },
      return_progress: true,
      verbose: true,
      stop: [],
    });
  });

  it('joins texts, calls the developer system, and takes OpenAI’s newer limit before the older', () => {
    const messages = [
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      ...hello,
    ];
    expect(params({ messages, max_tokens: 3, max_completion_tokens: 4 })).toMatchObject({
      messages: [{ role: 'system', content: 'ab' }, ...hello],
      max_tokens: 4,
    });
  });

  it('gives images and sound as bytes, in their place among the texts', () => {
    const messages = [{ role: 'user', content: [image, { type: 'text', text: 'What?' }, sound] }];
    const request = parseChatRequest({ model: 'x', messages });
    const [{ content } = { content: undefined }] = request.messages;
    const parts = Array.isArray(content) ? content.filter(isMedia) : [];
    const bytes = new Map(parts.map((part, index) => [part, Uint8Array.of(index).buffer]));
    expect(toChatParams(request, seeing, bytes)).toMatchObject({
      messages: [
        {
          content: [
            { type: 'image', data: Uint8Array.of(0).buffer },
            { type: 'text', text: 'What?' },
            { type: 'audio', data: Uint8Array.of(1).buffer },
          ],
        },
      ],
    });
    expect(() => toChatParams(request, seeing)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('always turns json_object into a schema, for the engine holds it with some templates only', () => {
    expect(params({ response_format: { type: 'json_object' } })).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
    });
    expect(params({ response_format: { type: 'text' } })).not.toHaveProperty('response_format');
  });

  it.each([
    { response_format: { type: 'json_object' } },
    { tools: [{ type: 'function', function: { name: 'f' } }] },
  ])('refuses two forms for one answer: %j', (fields) => {
    const request = { model: 'x', messages: [], grammar: 'root ::= "a"', ...fields } as ChatRequest;
    expect(() => toChatParams(request, reading)).toThrow(expect.objectContaining({ param: 'grammar' }));
  });

  it('asks for an alternative even where none is wanted, without which the engine tells nothing', () => {
    expect(params({ logprobs: true })).toMatchObject({ logprobs: true, top_logprobs: 1 });
    expect(params({ logprobs: true, top_logprobs: 4 })).toMatchObject({ top_logprobs: 4 });
    expect(params({ logprobs: false })).not.toHaveProperty('logprobs');
  });

  it('refuses a bias for what is no token of the model', () => {
    expect(params({ logit_bias: { 99: 1 } })).toMatchObject({ logit_bias: { 99: 1 } });
    expect(() => params({ logit_bias: { 100: 1 } })).toThrow(
      expect.objectContaining({ param: 'logit_bias' }),
    );
  });

  it('passes tools on, and none when none is to be called', () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    expect(params({ tools })).toMatchObject({ tools, parallel_tool_calls: true });
    expect(params({ tools, tool_choice: 'none' })).not.toHaveProperty('tools');
  });

  it('gives calls and their answers the ids that the engine gave', () => {
    const id = clientCallId('abc123DEF');
    const messages = [
      ...hello,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: id, content: 'done' },
    ];
    expect(params({ messages })).toMatchObject({
      messages: [
        ...hello,
        { content: '', tool_calls: [{ id: 'abc123DEF' }] },
        { role: 'tool', tool_call_id: 'abc123DEF' },
      ],
    });
  });
});

it('gives raw prompts as they are', () => {
  const request = { model: 'x', prompt: 'a', stop: 'b', logprobs: 0 };
  expect(toCompletionParams(request, 'c', reading)).toEqual({
    prompt: 'c',
    stop: ['b'],
    logprobs: 1,
    return_progress: true,
  });
});

it('makes an id where the engine gives none', () => {
  expect(clientCallId(undefined)).toMatch(/^call_\w{24}$/);
  expect(clientCallId('')).not.toBe(clientCallId(''));
  expect(engineCallId('call_')).toBe('call_');
  expect(engineCallId('mine')).toBe('mine');
});

describe('schemas', () => {
  const given = (schema: object, strict?: boolean): ChatRequest['response_format'] => ({
    type: 'json_schema',
    json_schema: { name: 'x', schema: { ...schema }, strict },
  });
  const withSchema = (schema: object, strict?: boolean) =>
    toChatParams({ model: 'x', messages: [], response_format: given(schema, strict) }, reading);

  it.each([
    { type: 'object', properties: { not: { type: 'string' }, if: { const: 1 } }, required: ['not'] },
    { $ref: '#/$defs/a', $defs: { a: { type: 'integer', minimum: 1 } } },
    { type: 'string', pattern: '^(?:a|b)+$', format: 'uuid' },
    { type: 'array', items: { anyOf: [{ enum: ['a'] }, { type: 'null' }] }, uniqueItems: false },
    { type: ['integer', 'null'], maximum: 4 },
  ])('passes on what holds: %j', (schema) => {
    expect(withSchema(schema)).toMatchObject({ response_format: { json_schema: { schema } } });
  });

  it.each([
    ['not', { not: { type: 'string' } }],
    ['if', { type: 'object', properties: { a: { if: {}, then: {} } } }],
    ['multipleOf', { type: 'array', items: { type: 'integer', multipleOf: 5 } }],
    ['minimum', { anyOf: [{ type: 'number', minimum: 1 }] }],
    ['maximum', { maximum: 1 }],
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['minProperties', { $defs: { a: { type: 'object', minProperties: 1 } } }],
    ['pattern', { additionalProperties: { type: 'string', pattern: 'a' } }],
    ['pattern', { type: 'string', pattern: '^(?=a)a$' }],
    ['pattern', { type: 'string', pattern: '^(a)\\1$' }],
    ['pattern', { prefixItems: [{ pattern: '^\\bword$' }] }],
  ])('refuses what the engine would pass over: %s', (keyword, schema) => {
    expect(() => withSchema(schema)).toThrow(
      expect.objectContaining({ param: 'response_format', message: expect.stringContaining(`“${keyword}”`) }),
    );
    expect(() => withSchema(schema, false)).not.toThrow();
  });

  it('refuses one that is nested endlessly', () => {
    const deep = JSON.parse('{"items":'.repeat(200) + '{}' + '}'.repeat(200)) as object;
    expect(() => withSchema(deep)).toThrow(expect.objectContaining({ param: 'response_format' }));
  });
});
