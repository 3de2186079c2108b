import { describe, expect, it } from 'vitest';
import { ignoredFields, parseChatRequest } from './chat.ts';

const user = { role: 'user', content: 'Hi' };
const ask = { model: 'm', messages: [user] };
const tool = (name: string, parameters?: unknown) => ({ type: 'function', function: { name, parameters } });
const call = (text: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } });
const image = (url: string) => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] });
const sound = (data: string) => ({
  role: 'user',
  content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }],
});
const held = (schema: unknown) => ({ type: 'json_schema', json_schema: { name: 'x', schema } });
const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };

describe('a chat request', () => {
  it.each<[string, object, string]>([
    ['a temperature that is no number', { temperature: NaN }, 'temperature'],
    ['a temperature as text', { temperature: 'hot' }, 'temperature'],
    ['endless heat', { temperature: Infinity }, 'temperature'],
    ['half a token', { max_tokens: 1.5 }, 'max_tokens'],
    ['no answers', { n: 0 }, 'n'],
    ['thousands of answers', { n: 1000 }, 'n'],
    ['a seed beyond all integers', { seed: 1e300 }, 'seed'],
    ['five stop texts', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    ['a bias for a word', { logit_bias: { hello: 1 } }, 'logit_bias'],
    ['biases in a list', { logit_bias: [1] }, 'logit_bias'],
    [
      'a schema in a list',
      { response_format: { type: 'json_schema', json_schema: [] } },
      'response_format.json_schema',
    ],
    ['options in a list', { stream_options: [] }, 'stream_options'],
    ['values for the template in a list', { chat_template_kwargs: [null] }, 'chat_template_kwargs'],
    ['alternatives without probabilities', { top_logprobs: 3 }, 'top_logprobs'],
    ['a hundred alternatives', { logprobs: true, top_logprobs: 100 }, 'top_logprobs'],
    ['a user who says nothing', { messages: [{ role: 'user', content: null }] }, 'messages.0.content'],
    [
      'a tool that answers no call',
      { messages: [{ role: 'tool', content: 'x' }] },
      'messages.0.tool_call_id',
    ],
    ['calls of the user', { messages: [{ ...user, tool_calls: [call('{}')] }] }, 'messages.0.tool_calls'],
    [
      'arguments that are no JSON',
      { messages: [{ role: 'assistant', tool_calls: [call('{nope')] }] },
      'messages.0.tool_calls.0.function.arguments',
    ],
    [
      'an image on the web',
      { messages: [image('https://example.org/a.png')] },
      'messages.0.content.0.image_url.url',
    ],
    [
      'an image that is a page',
      { messages: [image('data:text/html;base64,AAAA')] },
      'messages.0.content.0.image_url.url',
    ],
    [
      'an image that is not base64',
      { messages: [image('data:image/png;base64,AA!A')] },
      'messages.0.content.0.image_url.url',
    ],
    [
      'an image of no bytes',
      { messages: [image('data:image/png;base64,')] },
      'messages.0.content.0.image_url.url',
    ],
    ['a sound that is not base64', { messages: [sound('AAA')] }, 'messages.0.content.0.input_audio.data'],
    [
      'an image from the system',
      { messages: [{ ...image('data:image/png;base64,AAAA'), role: 'system' }] },
      'messages.0.content',
    ],
    ['a tool without a name', { tools: [tool('')] }, 'tools.0.function.name'],
    ['a tool with a name that is a sentence', { tools: [tool('get the weather')] }, 'tools.0.function.name'],
    ['two tools of one name', { tools: [tool('f'), tool('f')] }, 'tools.1.function.name'],
    ['parameters that are a list', { tools: [tool('f', [])] }, 'tools.0.function.parameters'],
    ['parameters of no type', { tools: [tool('f', { type: 'nonsense' })] }, 'tools.0.function.parameters'],
    ['parameters without end', { tools: [tool('f', endless)] }, 'tools.0.function.parameters'],
    ['a choice among no tools', { tool_choice: 'required' }, 'tool_choice'],
    [
      'a choice of a tool that is not there',
      { tools: [tool('f')], tool_choice: { type: 'function', function: { name: 'g' } } },
      'tool_choice',
    ],
    ['a choice that does not exist', { tools: [tool('f')], tool_choice: 'maybe' }, 'tool_choice'],
    [
      'a switch that is text',
      { chat_template_kwargs: { enable_thinking: 'no' } },
      'chat_template_kwargs.enable_thinking',
    ],
    ['a format that does not exist', { response_format: { type: 'yaml' } }, 'response_format.type'],
    ['a schema of no type', { response_format: held({ type: 'nonsense' }) }, 'response_format'],
    ['a schema that cannot close', { response_format: held(endless) }, 'response_format'],
    ['a schema that is text', { response_format: held('{}') }, 'response_format.json_schema.schema'],
    ['a grammar and a schema', { grammar: 'root ::= "a"', response_format: held({}) }, 'grammar'],
    ['a grammar and tools', { grammar: 'root ::= "a"', tools: [tool('f')] }, 'grammar'],
  ])('is refused with %s', (_, fields, param) => {
    expect(() => parseChatRequest({ ...ask, ...fields })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param }),
    );
  });

  it.each<[string, object]>([
    ['functions', { functions: [{}] }],
    ['audio', { audio: { voice: 'x' } }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['typical_p', { typical_p: 0.5 }],
    ['n_predict', { n_predict: 5 }],
    ['json_schema', { json_schema: { type: 'string' } }],
  ])('is refused with “%s”, which would change the answer', (param, fields) => {
    expect(() => parseChatRequest({ ...ask, ...fields })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param }),
    );
  });

  it('is taken with other servers’ fields where they say nothing', () => {
    const silent = {
      functions: [],
      modalities: ['text'],
      typical_p: 1,
      audio: null,
      mirostat: 0,
      constructor: 1,
    };
    expect(() => parseChatRequest({ ...ask, ...silent })).not.toThrow();
  });

  it('keeps tools, calls and their results', () => {
    const assistant = { role: 'assistant', content: null, tool_calls: [call(' ')] };
    const result = { role: 'tool', tool_call_id: 'c', content: '18 degrees' };
    const parsed = parseChatRequest({ ...ask, messages: [user, assistant, result], tools: [tool('f', {})] });
    expect(parsed.messages).toMatchObject([user, { ...assistant, tool_calls: [call('{}')] }, result]);
    expect(parsed.tools).toHaveLength(1);
  });

  it('takes 500 tools, images and sounds', () => {
    const tools = Array.from({ length: 500 }, (_, index) => tool(`f${index}`));
    const messages = [
      image('data:image/jpeg;base64,AAA='),
      sound('AAAA'),
      image('DATA:image/png;base64,AAAA'),
    ];
    expect(() => parseChatRequest({ ...ask, messages: messages.slice(0, 2), tools })).not.toThrow();
    expect(() => parseChatRequest({ ...ask, messages })).toThrow();
  });

  it('looks at megabytes of an image without losing its stack', () => {
    const messages = [image(`data:image/png;base64,${'A'.repeat(8_000_000)}`)];
    expect(() => parseChatRequest({ ...ask, messages })).not.toThrow();
  });

  it('names the fields that it does not read', () => {
    expect(ignoredFields({ ...ask, user: 'me', store: true, metadata: null, temperature: 1 })).toEqual([
      'user',
      'store',
    ]);
    expect(ignoredFields('x')).toEqual([]);
  });

  it.each([null, [], 'text', 3])('is an object, not %j', (body) => {
    expect(() => parseChatRequest(body)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
