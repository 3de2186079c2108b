import { describe, expect, it, vi } from 'vitest';
import type { ChatRequest } from '#lib/openai/chat.ts';
import { makeGenerationBench, modelName, type GenerationBenchOptions } from './testing/generation-bench.ts';

const chat = { model: modelName, messages: [{ role: 'user', content: 'Hello?' }] };
const prompt = { model: modelName, prompt: 'Once upon' };
const tools = [
  { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } },
];
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const sound = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };

async function ask(path: string, body: object, options: GenerationBenchOptions = {}) {
  const bench = await makeGenerationBench(options);
  const response = await bench.call(path, body);
  const text = await response.text();
  return { bench, response, text, json: () => JSON.parse(text) as unknown, frames: frames(text) };
}

function frames(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame): unknown => JSON.parse(frame.slice(6)));
}

it('answers though the disk is full and cannot keep when the model was used', async () => {
  const bench = await makeGenerationBench();
  const full = new DOMException('The disk is full.', 'QuotaExceededError');
  vi.spyOn(bench.index, 'touch').mockRejectedValue(full);
  const response = await bench.call('/v1/chat/completions', chat);
  expect(await response.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  expect(bench.failures).toEqual([full]);
});

it('keeps when a model was used, but not more often than once a minute', async () => {
  const bench = await makeGenerationBench();
  const touch = vi.spyOn(bench.index, 'touch');
  const used = async () => {
    await (await bench.call('/v1/chat/completions', chat)).text();
    return touch.mock.calls.map(([, atMs]) => atMs);
  };
  const firstMs = bench.clock.now();
  expect(await used()).toEqual([firstMs]);
  await bench.clock.advance(59_000);
  expect(await used()).toEqual([firstMs]);
  await bench.clock.advance(1000);
  expect(await used()).toEqual([firstMs, firstMs + 60_000]);
});

describe('chats with tools', () => {
  const calls = () => [{ name: 'get_time', arguments: '{"zone":"UTC"}' }];

  it('answer with the model’s own calls', async () => {
    const { json } = await ask('/v1/chat/completions', { ...chat, tools }, { calls });
    expect(json()).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [{ function: { name: 'get_time', arguments: '{"zone":"UTC"}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
    });
  });

  it('stream them', async () => {
    const { frames: told, text } = await ask(
      '/v1/chat/completions',
      { ...chat, tools, stream: true },
      { calls },
    );
    expect(told).toMatchObject([
      { choices: [{ delta: { role: 'assistant' } }] },
      { choices: [{ delta: { tool_calls: [{ index: 0, function: { name: 'get_time' } }] } }] },
      { choices: [{ delta: { tool_calls: [{ function: { arguments: '{"zone"' } }] } }] },
      { choices: [{ delta: { tool_calls: [{ function: { arguments: ':"UTC"}' } }] } }] },
      { choices: [{ finish_reason: 'tool_calls' }] },
    ]);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it.each([true, false])('force one, whether the template knows tools (%s) or not', async (knows) => {
    const body = { ...chat, tools, tool_choice: 'required', stream: true };
    const { frames: told } = await ask('/v1/chat/completions', body, { can: { tools: knows } });
    expect(told[1]).toMatchObject({
      choices: [{ delta: { tool_calls: [{ function: { name: 'get_time' } }] } }],
    });
    expect(told.at(-1)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });

  it('take 500 tools and force the one that is named', async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      type: 'function',
      function: { name: `f${index}` },
    }));
    const choice = { type: 'function', function: { name: 'f499' } };
    const { json } = await ask('/v1/chat/completions', { ...chat, tools: many, tool_choice: choice });
    expect(json()).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { name: 'f499' } }] } }],
    });
  });
});

describe('chats', () => {
  it('are held to a schema, or to any object', async () => {
    const schema = { type: 'object', properties: { a: { const: 1 } }, required: ['a'] };
    const held = { type: 'json_schema', json_schema: { name: 'x', schema } };
    const { json } = await ask('/v1/chat/completions', { ...chat, response_format: held });
    expect(json()).toMatchObject({ choices: [{ message: { content: '{"a":1}' } }] });
    const object = await ask('/v1/chat/completions', { ...chat, response_format: { type: 'json_object' } });
    expect(object.json()).toMatchObject({ choices: [{ message: { content: '{}' } }] });
  });

  it('are answered several times, each with a seed of its own and the prompt counted once', async () => {
    const seeds: unknown[] = [];
    const reply = (_: string, request: Pick<ChatRequest, 'seed'>) => {
      seeds.push(request.seed);
      return ['one', ' two'];
    };
    const { bench, json } = await ask('/v1/chat/completions', { ...chat, n: 3, seed: 5 }, { reply });
    expect(json()).toMatchObject({
      choices: [0, 1, 2].map((index) => ({ index, message: { content: 'one two' }, finish_reason: 'stop' })),
      usage: { prompt_tokens: 1, completion_tokens: 6, total_tokens: 7 },
    });
    expect(seeds).toEqual([5, 6, 7]);
    expect(bench.engine.loads).toBe(1);
  });

  it('stream several answers under their numbers', async () => {
    const body = { ...chat, n: 2, stream: true, stream_options: { include_usage: true } };
    const { frames: told } = await ask('/v1/chat/completions', body, { reply: () => ['Hi'] });
    expect(told).toMatchObject([
      { choices: [{ index: 0, delta: { role: 'assistant' } }] },
      { choices: [{ index: 0, delta: { content: 'Hi' } }] },
      { choices: [{ index: 0, finish_reason: 'stop' }] },
      { choices: [{ index: 1, delta: { role: 'assistant' } }] },
      { choices: [{ index: 1, delta: { content: 'Hi' } }] },
      { choices: [{ index: 1, finish_reason: 'stop' }] },
      { choices: [], usage: { completion_tokens: 2 } },
    ]);
  });

  it('tell probabilities', async () => {
    const body = { ...chat, logprobs: true, top_logprobs: 2, max_tokens: 1 };
    expect((await ask('/v1/chat/completions', body)).json()).toMatchObject({
      choices: [{ logprobs: { content: [{ token: 'Hello', top_logprobs: [{}, {}] }] } }],
    });
  });

  it('warn of fields that nobody read, and of nothing else', async () => {
    const odd = { ...chat, user: 'me', 'a"b': 1, store: true };
    expect((await ask('/v1/chat/completions', odd)).response.headers.get('warning')).toBe(
      '299 sampan "ignored: user, store"',
    );
    const stream = await ask('/v1/chat/completions', { ...odd, stream: true });
    expect(stream.response.headers.get('warning')).toContain('user');
    expect((await ask('/v1/chat/completions', chat)).response.headers.has('warning')).toBe(false);
  });

  it.each([
    ['an image', image, 'This model sees no images.'],
    ['a sound', sound, 'This model hears no sound.'],
  ])('refuse %s that the model cannot take, and say what it can', async (_, part, message) => {
    const body = { ...chat, messages: [{ role: 'user', content: [part] }] };
    const { bench, response, json } = await ask('/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect(json()).toMatchObject({ error: { code: 'invalid_request', param: 'messages' } });
    expect(json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(json()).toMatchObject({ error: { message: expect.stringContaining('calls tools') } });
    expect(bench.engine.loads).toBe(0);
  });

  it('are refused by a model that only makes embeddings', async () => {
    const { json } = await ask('/v1/chat/completions', chat, { can: { chat: false, embedding: true } });
    expect(json()).toMatchObject({ error: { code: 'invalid_request', param: 'model' } });
  });
});

it('answers half of 50 requests while the other half leaves, and the next one', async () => {
  const bench = await makeGenerationBench({ reply: () => ['a', 'b', 'c'] });
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const abort = new AbortController();
      const answer = bench.call('/v1/chat/completions', chat, { signal: abort.signal });
      if (index % 2 === 1) abort.abort();
      return (await answer).status;
    }),
  );
  expect(statuses).toEqual(Array.from({ length: 50 }, (_, index) => (index % 2 === 1 ? 499 : 200)));
  expect((await bench.call('/v1/chat/completions', chat)).status).toBe(200);
  expect([bench.engine.loads, bench.failures]).toEqual([1, []]);
});

describe('text completions', () => {
  it.each(['/engines/v1/completions', '/v1/completions', '/engines/llama.cpp/v1/completions'])(
    'are whole on %s',
    async (path) => {
      const { json } = await ask(path, prompt);
      expect(json()).toMatchObject({
        object: 'text_completion',
        model: modelName,
        choices: [{ index: 0, text: 'Hello there.', logprobs: null, finish_reason: 'stop' }],
        usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
        timings: { predicted_n: 2 },
      });
    },
  );

  it('stream', async () => {
    const { frames: told, text } = await ask('/v1/completions', { ...prompt, echo: true, stream: true });
    expect(told).toMatchObject([
      { choices: [{ text: 'Once upon' }] },
      { choices: [{ text: 'Hello' }] },
      { choices: [{ text: ' there.' }] },
      { choices: [{ text: '', finish_reason: 'stop' }] },
    ]);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('answer each prompt of a list as often as asked', async () => {
    const reply = (asked: string) => [asked.toUpperCase()];
    const { json } = await ask('/v1/completions', { ...prompt, prompt: ['a', 'b c'], n: 2 }, { reply });
    expect(json()).toMatchObject({
      choices: [{ text: 'A' }, { text: 'A' }, { text: 'B C' }, { text: 'B C' }].map((choice, index) => ({
        ...choice,
        index,
      })),
      usage: { prompt_tokens: 3, completion_tokens: 4 },
    });
  });

  it('end before a stop text and tell probabilities', async () => {
    const { json } = await ask('/v1/completions', { ...prompt, stop: ' there', logprobs: 1 });
    expect(json()).toMatchObject({ choices: [{ text: 'Hello', logprobs: { tokens: ['Hello'] } }] });
  });

  it('fill a gap only with a model that can', async () => {
    const gap = { ...prompt, suffix: 'the end' };
    expect((await ask('/v1/completions', gap)).json()).toMatchObject({ error: { param: 'suffix' } });
    expect((await ask('/v1/completions', gap, { can: { fim: true } })).response.status).toBe(200);
  });

  it('are refused with the true status before the stream begins', async () => {
    const { response, json } = await ask('/v1/completions', {
      ...prompt,
      stream: true,
      prompt: 'x '.repeat(9000),
    });
    expect(response.status).toBe(400);
    expect(json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
  });
});

describe('embeddings', () => {
  it('come in the order of the inputs, from a model that is loaded for them', async () => {
    const { bench, json } = await ask('/v1/embeddings', { model: modelName, input: ['a b', 'c', 'a b'] });
    const { data, ...rest } = json() as { data: { index: number; embedding: number[] }[] };
    expect(rest).toEqual({ object: 'list', model: modelName, usage: { prompt_tokens: 5, total_tokens: 5 } });
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(data[0]?.embedding).toEqual(data[2]?.embedding);
    expect(data[0]?.embedding).not.toEqual(data[1]?.embedding);
    expect(bench.modes).toEqual(['embedding']);
  });

  it('are cut, and written as base64', async () => {
    const body = { model: modelName, input: 'a', dimensions: 4, encoding_format: 'base64' };
    const { data } = (await ask('/v1/embeddings', body)).json() as { data: { embedding: string }[] };
    expect(Buffer.from(data[0]?.embedding ?? '', 'base64')).toHaveLength(16);
  });

  it('are refused with a field’s name, and by a model that cannot', async () => {
    expect((await ask('/v1/embeddings', { model: modelName })).json()).toMatchObject({
      error: { param: 'input' },
    });
    const can = { chat: false, rerank: true };
    const { response, json } = await ask('/v1/embeddings', { model: modelName, input: 'a' }, { can });
    expect(response.status).toBe(400);
    expect(json()).toMatchObject({
      error: { param: 'model', message: expect.stringContaining('ranks documents') },
    });
  });

  it('are recorded with what they cost', async () => {
    const { bench } = await ask('/v1/embeddings', { model: modelName, input: ['a b'] });
    const { requests } = await bench.recorder.page({}, { limit: 10 });
    expect(requests).toMatchObject([{ mode: 'embedding', state: 'done', usage: { prompt_tokens: 2 } }]);
  });
});

describe('rankings', () => {
  const body = { model: modelName, query: 'big cat', documents: ['a dog', 'a big cat', 'cat'] };

  it.each(['/v1/rerank', '/engines/rerank', '/rerank', '/score', '/engines/llama.cpp/rerank'])(
    'come best first on %s',
    async (path) => {
      const { bench, json } = await ask(path, { ...body, top_n: 2 }, { can: { rerank: true } });
      expect(json()).toMatchObject({
        object: 'list',
        model: modelName,
        results: [
          { index: 1, relevance_score: 2 },
          { index: 2, relevance_score: 1 },
        ],
      });
      expect(bench.modes).toEqual(['reranking']);
    },
  );

  it('need a model that ranks', async () => {
    const { response, json } = await ask('/rerank', body);
    expect(response.status).toBe(400);
    expect(json()).toMatchObject({ error: { message: expect.stringContaining('ranks no documents') } });
  });
});

describe('a load without a question', () => {
  it.each([
    ['/v1/completions', 'completion'],
    ['/v1/embeddings', 'embedding'],
    ['/rerank', 'reranking'],
  ])('on %s is for what that path does', async (path, mode) => {
    const bench = await makeGenerationBench();
    const response = await bench.call(path, { model: modelName }, { headers: { 'x-preload-only': 'true' } });
    expect([response.status, await response.text(), bench.modes]).toEqual([200, '', [mode]]);
  });
});
