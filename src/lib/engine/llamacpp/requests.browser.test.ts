/** What requests may ask of a GGUF model beyond plain chats, on the real engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '#lib/engine/port.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import { entry } from '#tests/support/registry/gguf-bytes.ts';
import { withEntries } from './testing/gguf-edit.ts';
import {
  ask,
  complete,
  finishOf,
  makeEngine,
  modelOf,
  never,
  packageEngine,
  patience,
  reasoningOf,
  textOf,
  tiny,
  tinyParts,
  toolTemplate,
  weatherTool,
  withModel,
} from './testing/tiny-engine.ts';

async function expectReplacement(loaded: LoadedModel): Promise<void> {
  const events = await complete(loaded, { prompt: 'S the', max_tokens: 32, ignore_eos: true });
  expect(textOf(events)).toContain('\uFFFD');
  expect(finishOf(events)).toMatchObject({ reason: 'length', usage: { completionTokens: 32 } });
}

describe('the package’s build of llama.cpp', patience, () => {
  let loaded: LoadedModel;
  beforeAll(async () => {
    loaded = await packageEngine().load(await tiny(), { contextSize: 2048 });
  }, patience.timeout);
  afterAll(() => loaded.close());

  it('says that it cannot tell the probability of half a character', async () => {
    const refused = ask(loaded, 'Send me an emoji.', { logprobs: true });
    await expect(refused).rejects.toMatchObject({ code: 'not_supported', param: 'logprobs' });
    expect(textOf(await ask(loaded, 'Send me an emoji.'))).toBe('🙂👍');
  });

  it('answers to the end what is no UTF-8, with a replacement character', async () => {
    await expectReplacement(loaded);
  });
});

describe('llama.cpp requests', patience, () => {
  let loaded: LoadedModel;

  beforeAll(async () => {
    loaded = await makeEngine().load(await tiny({ chatTemplate: toolTemplate }), { contextSize: 100_000 });
  }, patience.timeout);
  afterAll(() => loaded.close());

  it('has no larger context than the model was trained with', () => {
    expect(loaded.contextSize).toBe(2048);
    expect(loaded.inForce).toMatchObject({ contextSize: 2048, mode: 'completion', parallel: 1 });
  });

  it('tells the prompt that the model saw, once', async () => {
    const events = await ask(loaded, 'Hello!');
    expect(finishOf(events).renderedPrompt).toBe(
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(finishOf(await complete(loaded, {})).renderedPrompt).toBe('1, 2, 3');
  });

  it('computes no prompt twice: the next turn of a conversation goes on where the last one ended', async () => {
    const messages: ChatRequest['messages'] = [{ role: 'user', content: 'Count to 30.' }];
    const first = await ask(loaded, '', { messages, max_tokens: 200 });
    messages.push({ role: 'assistant', content: textOf(first) }, { role: 'user', content: 'Hello!' });
    const { usage, timings } = finishOf(await ask(loaded, '', { messages }));
    const before = finishOf(first).usage;
    expect(usage.cachedTokens).toBeGreaterThanOrEqual(before.promptTokens + before.completionTokens - 1);
    expect(timings.prefillTokens).toBe(usage.promptTokens - usage.cachedTokens);
  });

  it('renders calls and their answers by the template, with the ids that the engine gave', async () => {
    const question = { role: 'user', content: 'What is the weather in Paris?' } as const;
    const [call] = (await ask(loaded, '', { messages: [question], tools: [weatherTool] })).filter(
      (event) => event.type === 'tool-call',
    );
    const id = call?.id ?? '';
    const called = { name: 'get_weather', arguments: '{"city": "Paris"}' };
    const messages: ChatRequest['messages'] = [
      question,
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: called }] },
      { role: 'tool', tool_call_id: id, content: '12 degrees' },
    ];
    const events = await ask(loaded, '', { messages, tools: [weatherTool], max_tokens: 1 });
    const prompt = finishOf(events).renderedPrompt ?? '';
    expect(prompt).toContain('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}');
    expect(prompt).toContain('<tool_response>\n12 degrees\n</tool_response>');
  });

  it('tells thinking apart from the answer', async () => {
    const events = await ask(loaded, 'Think first.');
    expect(reasoningOf(events).trim()).toBe('Let me think.');
    expect(textOf(events).trim()).toBe('Done.');
  });

  it('calls nothing when tool_choice is none', async () => {
    const events = await ask(loaded, 'What is the weather in Paris?', {
      tools: [weatherTool],
      tool_choice: 'none',
    });
    expect(events.some(({ type }) => type === 'tool-call')).toBe(false);
    expect(textOf(events)).toContain('get_weather');
  });

  it('tells the probability of half a character too', async () => {
    const events = await ask(loaded, 'Send me an emoji.', { logprobs: true, top_logprobs: 4 });
    expect(textOf(events)).toBe('🙂👍');
    const told = events.flatMap((event) => (event.type === 'text' ? (event.logprobs ?? []) : []));
    expect(told.map(({ token }) => token)).toEqual(['🙂', '👍']);
    expect(told[0]?.bytes).toEqual([...new TextEncoder().encode('🙂')]);
    expect(told.flatMap(({ top }) => top).some(({ token }) => token.includes('\uFFFD'))).toBe(true);
  });

  it('answers to the end what is no UTF-8, with a replacement character', async () => {
    await expectReplacement(loaded);
  });

  it('is held by a grammar, in chats and raw completions', async () => {
    const grammar = 'root ::= "maybe" | "perhaps"';
    expect(textOf(await ask(loaded, 'Hello!', { grammar }))).toMatch(/^(maybe|perhaps)$/);
    expect(textOf(await complete(loaded, { grammar, max_tokens: 20 }))).toMatch(/^(maybe|perhaps)$/);
  });

  it('answers json_object with an object', async () => {
    const events = await ask(loaded, 'Give me JSON about Italy.', {
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(textOf(events))).toEqual({ country: 'Italy', capital: 'Rome' });
  });

  it('leaves out tokens by their bias and goes on past the end when told to', async () => {
    // 14 is the comma.
    const biased = textOf(await ask(loaded, 'Count to 5.', { logit_bias: { 14: -100 } }));
    expect(biased).not.toContain(',');
    const endless = finishOf(await ask(loaded, 'Count to 5.', { ignore_eos: true, max_tokens: 40 }));
    expect(endless).toMatchObject({ reason: 'length', usage: { completionTokens: 40 } });
  });

  it.each([
    ['logit_bias', { logit_bias: { 512: 1 } }],
    ['grammar', { grammar: 'root = nonsense' }],
    ['grammar', { grammar: 'leaf ::= "x"' }],
    ['response_format', schema({ type: 'object', patternProperties: {} })],
    ['response_format', schema({ type: 'array', items: { type: 'integer' }, minItems: 100_000 })],
    ['messages', { messages: [{ role: 'user', content: [image()] }] }],
  ] as const)('refuses what would not hold, naming %s', async (param, fields) => {
    await expect(ask(loaded, 'Hello!', fields as Partial<ChatRequest>)).rejects.toMatchObject({
      status: 400,
      param,
    });
    expect(textOf(await ask(loaded, 'Hello!'))).toBe('Hello! How can I help you?');
  });

  it('says that it cannot fill in the middle, or does it with the model’s own tokens', async () => {
    const refused = complete(loaded, { suffix: '9' });
    await expect(refused).rejects.toMatchObject({ code: 'unsupported_parameter', param: 'suffix' });
    const marked = withEntries(
      await tinyParts(),
      entry.u32('tokenizer.ggml.fim_pre_token_id', 1),
      entry.u32('tokenizer.ggml.fim_suf_token_id', 2),
      entry.u32('tokenizer.ggml.fim_mid_token_id', 0),
    );
    const filled = await withModel(await modelOf(marked), {}, (model) => complete(model, { suffix: '9' }));
    expect(finishOf(filled).renderedPrompt).toMatch(/^<[^>]+>1, 2, 3<[^>]+>9<[^>]+>$/);
  });

  it('serves one mode a load and says so', async () => {
    await expect(loaded.embed(['x'], never)).rejects.toMatchObject({ code: 'not_supported' });
    await expect(loaded.rerank({ query: 'x', documents: ['y'] }, never)).rejects.toMatchObject({
      code: 'not_supported',
    });
  });
});

function schema(given: object): Partial<ChatRequest> {
  return { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { ...given } } } };
}

function image(): object {
  return { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
}
