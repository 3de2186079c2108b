import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { ScriptedEngine } from '#lib/engine/scripted.ts';
import { messageText, parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import { checkSchema } from '#lib/openai/json-schema.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { withEffort } from './effort.ts';
import { planChat } from './forced.ts';

const city = {
  type: 'object',
  properties: { city: { $ref: '#/$defs/city' } },
  required: ['city'],
  $defs: { city: { enum: ['Paris'] } },
};
const tool = (name: string, parameters?: unknown) => ({ type: 'function', function: { name, parameters } });
const weather = tool('get_weather', city);
const clock = tool('get_time');
const user = { role: 'user', content: 'What is the weather?' };
const native = { tools: true };
const plain = { tools: false };

function request(fields: object = {}): ChatRequest {
  return parseChatRequest({ model: 'm', messages: [user], tools: [weather, clock], ...fields });
}

/** What a model that obeys answers. */
async function answer(fields: object, model = native, reply?: string): Promise<ChatEvent[]> {
  const engine = new ScriptedEngine(reply === undefined ? {} : { reply: () => reply.split(/(?<= )/) });
  const loaded = await engine.load(
    { kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: [] },
    { contextSize: 999 },
  );
  const plan = planChat(request(fields), model);
  const events: ChatEvent[] = [];
  for await (const event of plan.read(loaded.chat(plan.request, new AbortController().signal)))
    events.push(event);
  return events;
}

const named = (events: readonly ChatEvent[]) =>
  events.flatMap((event) => (event.type === 'tool-call' ? [event.name] : []));
const argued = (events: readonly ChatEvent[]) =>
  events.map((event) => (event.type === 'tool-arguments' ? event.text : '')).join('');
const schemaOf = ({ response_format: format }: ChatRequest) =>
  format?.type === 'json_schema' ? format.json_schema.schema : undefined;

describe('tools that the template knows', () => {
  it('go to the engine as they are where the model may decide', () => {
    const { request: given } = planChat(request(), native);
    expect(given).toMatchObject({ tools: [weather, clock], tool_choice: 'auto', messages: [user] });
    expect(given).not.toHaveProperty('response_format');
  });

  it('are dropped with “none”, and with an empty list', () => {
    for (const fields of [{ tool_choice: 'none' }, { tools: [] }]) {
      const { request: given } = planChat(request(fields), native);
      expect(given).not.toHaveProperty('tools');
      expect(given).not.toHaveProperty('tool_choice');
      expect(given.messages).toEqual([user]);
    }
  });

  it('keep calls of earlier turns as they are', () => {
    const call = { id: 'c', type: 'function', function: { name: 'get_time', arguments: '{}' } };
    const messages = [
      user,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: '9' },
    ];
    expect(planChat(request({ messages }), native).request.messages).toEqual(messages);
  });
});

describe('a call that is forced', () => {
  it('is held by a schema that engines take, with references led to their new place', () => {
    const { request: given } = planChat(request({ tool_choice: 'required' }), native);
    const schema = schemaOf(given);
    expect(() => checkSchema(schema ?? {}, 'x')).not.toThrow();
    expect(schema).toMatchObject({
      properties: { tool_calls: { minItems: 1, maxItems: 8, items: { anyOf: [{}, {}] } } },
      $defs: { tool_get_weather: { properties: { city: { $ref: '#/$defs/tool_get_weather/$defs/city' } } } },
    });
    expect(given).not.toHaveProperty('tools');
  });

  it.each([native, plain])('comes whatever the model would rather say (%j)', async (model) => {
    const events = await answer({ tool_choice: 'required' }, model);
    expect(named(events)).toEqual(['get_weather']);
    expect(JSON.parse(argued(events))).toEqual({ city: 'Paris' });
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'tool_calls' });
    expect(events.some((event) => event.type === 'text')).toBe(false);
  });

  it('is of the tool that is named, and one only', async () => {
    const choice = { tool_choice: { type: 'function', function: { name: 'get_time' } } };
    const events = await answer(choice);
    expect([named(events), argued(events)]).toEqual([['get_time'], '{}']);
    const { request: given } = planChat(request(choice), native);
    expect(schemaOf(given)).toMatchObject({ properties: { tool_calls: { maxItems: 1 } } });
  });

  it('is one where calls may not be parallel', () => {
    const { request: given } = planChat(
      request({ tool_choice: 'required', parallel_tool_calls: false }),
      native,
    );
    expect(schemaOf(given)).toMatchObject({ properties: { tool_calls: { maxItems: 1 } } });
  });

  it('is cut by no stop text and begins with no thought', () => {
    const { request: given } = planChat(request({ tool_choice: 'required', stop: '"' }), native);
    expect(given).not.toHaveProperty('stop');
    expect(given.chat_template_kwargs).toEqual({ enable_thinking: false });
  });
});

describe('tools that the template does not know', () => {
  it('stand in the system text, after what the person wrote there', () => {
    const messages = [{ role: 'system', content: 'Be kind.' }, user];
    const [system] = planChat(request({ messages }), plain).request.messages;
    expect(system && messageText(system)).toMatch(/^Be kind\.\n\n[^]*get_weather[^]*get_time[^]*tool_calls/);
    expect(planChat(request(), plain).request.messages).toMatchObject([{ role: 'system' }, user]);
  });

  it('are called in the form, or the model answers with text', async () => {
    const called = await answer({}, plain, '{"tool_calls": [{"name": "get_time", "arguments": {}}]}');
    expect([named(called), argued(called)]).toEqual([['get_time'], '{}']);
    const said = await answer({}, plain, 'It rains.');
    expect(said.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')).toBe('It rains.');
    expect(said.at(-1)).toMatchObject({ reason: 'stop' });
  });

  it('have been called in earlier turns as text', () => {
    const call = (id: string, name: string) => ({
      id,
      type: 'function',
      function: { name, arguments: '{"a":1}' },
    });
    const { messages } = planChat(
      request({
        tools: undefined,
        messages: [
          user,
          { role: 'assistant', content: 'Wait.', tool_calls: [call('1', 'f'), call('2', 'g')] },
          { role: 'tool', tool_call_id: '1', content: 'one' },
          { role: 'tool', tool_call_id: '2', content: 'two' },
          { role: 'assistant', content: 'Done.' },
        ],
      }),
      plain,
    ).request;
    expect(messages).toEqual([
      user,
      {
        role: 'assistant',
        content: 'Wait.\n{"tool_calls":[{"name":"f","arguments":{"a":1}},{"name":"g","arguments":{"a":1}}]}',
      },
      { role: 'user', content: 'Result of f: one\nResult of g: two' },
      { role: 'assistant', content: 'Done.' },
    ]);
  });
});

describe('a format', () => {
  const held = {
    type: 'json_schema',
    json_schema: { schema: { type: 'object', properties: { a: { const: 1 } }, required: ['a'] } },
  };

  it('is always a schema for the engine', () => {
    const object = request({ tools: undefined, response_format: { type: 'json_object' } });
    expect(schemaOf(planChat(object, native).request)).toEqual({ type: 'object' });
    const bare = request({
      tools: undefined,
      response_format: { type: 'json_schema', json_schema: { name: 'x' } },
    });
    expect(schemaOf(planChat(bare, native).request)).toEqual({ type: 'object' });
    const schema = request({ tools: undefined, response_format: held });
    expect(schemaOf(planChat(schema, native).request)).toEqual(held.json_schema.schema);
    const text = request({ tools: undefined, response_format: { type: 'text' } });
    expect(planChat(text, native).request).not.toHaveProperty('response_format');
  });

  it('together with tools allows calls or itself, and is read as what it is', async () => {
    const { request: given } = planChat(request({ response_format: held }), native);
    expect(schemaOf(given)).toMatchObject({ anyOf: [{ required: ['tool_calls'] }, held.json_schema.schema] });
    expect(given).not.toHaveProperty('tools');
    expect(named(await answer({ response_format: held }))).toEqual(['get_weather']);
  });

  it('gives way to a call that is forced', () => {
    const { request: given } = planChat(request({ response_format: held, tool_choice: 'required' }), native);
    expect(schemaOf(given)).toMatchObject({ required: ['tool_calls'] });
  });
});

describe('a schema that need not be kept in all details', () => {
  const parameters = {
    type: 'object',
    properties: {
      pattern: { type: 'string', pattern: 'part' },
      b: { pattern: '^[a-z]$', default: { pattern: 'x' } },
    },
  };
  const heldParameters = {
    type: 'object',
    properties: { pattern: { type: 'string' }, b: { pattern: '^[a-z]$', default: { pattern: 'x' } } },
  };
  const strictly = (strict: boolean) => ({
    type: 'function',
    function: { name: 'f', parameters: {}, strict },
  });
  const isStrict = ({ response_format: format }: ChatRequest) =>
    format?.type === 'json_schema' ? format.json_schema.strict : undefined;

  it('goes to the engine without patterns that it would refuse', () => {
    const { request: given } = planChat(request({ tools: [tool('f', parameters)] }), native);
    expect(given.tools).toEqual([tool('f', heldParameters)]);
    const loose = { type: 'json_schema', json_schema: { strict: false, schema: parameters } };
    const format = planChat(request({ tools: undefined, response_format: loose }), native).request;
    expect([schemaOf(format), isStrict(format)]).toEqual([heldParameters, false]);
  });

  it('is one of tools unless they say that they are strict', () => {
    const forced = (strict: boolean) => request({ tools: [strictly(strict)], tool_choice: 'required' });
    expect([true, false].map((strict) => isStrict(planChat(forced(strict), native).request))).toEqual([
      true,
      false,
    ]);
  });

  it('is told of as tools when the engine refuses it all the same', async () => {
    const { read } = planChat(request({ tool_choice: 'required' }), native);
    const refused = async (param: string) => {
      for await (const _ of read(failing(new ApiError('invalid_request', 'No.', { param })))) continue;
    };
    await expect(refused('response_format')).rejects.toMatchObject({ param: 'tools' });
    await expect(refused('messages')).rejects.toMatchObject({ param: 'messages' });
  });
});

// eslint-disable-next-line require-yield
async function* failing(error: Error): AsyncGenerator<ChatEvent, void, undefined> {
  await Promise.reject(error);
}

it('reads an effort as templates do, after what the request says itself', () => {
  const kwargs = (fields: object) => withEffort(request(fields)).chat_template_kwargs;
  expect(kwargs({ reasoning_effort: 'none' })).toEqual({ enable_thinking: false });
  expect(kwargs({ reasoning_effort: 'minimal' })).toEqual({ enable_thinking: true, reasoning_effort: 'low' });
  expect(
    kwargs({ reasoning_effort: 'high', chat_template_kwargs: { enable_thinking: false } }),
  ).toMatchObject({ enable_thinking: false });
  expect(kwargs({})).toBeUndefined();
});
