import { describe, expect, it } from 'vitest';
import { bytesOf, makeBench, type Bench, type BenchOptions } from '#tests/support/runner-bench.ts';

const name = 'localhost:5000/ai/tiny:latest';
const path = '/engines/v1/chat/completions';
const ask = { model: name, messages: [{ role: 'user', content: 'Hello?' }] };

async function benchWithModel(options: BenchOptions = {}): Promise<Bench> {
  const bench = makeBench(options);
  for (const each of [name, 'localhost:5000/ai/other:latest']) {
    await bench.registry.publish(each, [bytesOf(`GGUF ${each}`)]);
    await (await bench.call('/models/create', { from: each })).text();
  }
  return bench;
}

function frames(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)));
}

/** Words come when the test says so. */
function gate() {
  const waiting: (() => void)[] = [];
  return {
    beforeWord: (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    next: () => waiting.shift()?.(),
    get waiting() {
      return waiting.length;
    },
  };
}

describe('chat completions', () => {
  it.each([
    path,
    '/v1/chat/completions',
    '/engines/llama.cpp/v1/chat/completions',
    '//engines/v1/chat/completions',
  ])('answers whole on %s', async (alias) => {
    const bench = await benchWithModel();
    const response = await bench.call(alias, ask);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      model: name,
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there.' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    });
  });

  it('streams a role, a chunk per word, a reason with timings and [DONE]', async () => {
    const bench = await benchWithModel();
    const response = await bench.call(path, { ...ask, stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await response.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(frames(text)).toMatchObject([
      { choices: [{ delta: { role: 'assistant', content: null } }] },
      { choices: [{ delta: { content: 'Hello' } }] },
      { choices: [{ delta: { content: ' there.' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }], timings: { predicted_n: 2 } },
    ]);
  });

  it('sends usage in a chunk without choices, and only when asked', async () => {
    const bench = await benchWithModel();
    const plain = await (await bench.call(path, { ...ask, stream: true })).text();
    expect(plain).not.toContain('"usage"');
    const asked = await bench.call(path, { ...ask, stream: true, stream_options: { include_usage: true } });
    expect(frames(await asked.text()).at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 3 } });
  });

  it('stops at max_tokens with the reason “length”', async () => {
    const bench = await benchWithModel();
    const response = await bench.call(path, { ...ask, max_tokens: 1 });
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'Hello' }, finish_reason: 'length' }],
    });
  });

  it.each([
    ['not JSON', '{nope', 400, 'invalid_request', null],
    ['no messages', { model: name }, 400, 'invalid_request', 'messages'],
    ['empty messages', { ...ask, messages: [] }, 400, 'invalid_request', 'messages'],
    [
      'an unknown role',
      { ...ask, messages: [{ role: 'wizard', content: 'x' }] },
      400,
      'invalid_request',
      'messages.0.role',
    ],
    ['a negative temperature', { ...ask, temperature: -1 }, 400, 'invalid_request', 'temperature'],
    ['zero tokens', { ...ask, max_tokens: 0 }, 400, 'invalid_request', 'max_tokens'],
    ['a tool that is none', { ...ask, tools: [{}] }, 400, 'invalid_request', 'tools.0.type'],
    ['functions of old', { ...ask, functions: [{}] }, 400, 'unsupported_parameter', 'functions'],
    ['a hundred choices', { ...ask, n: 100 }, 400, 'invalid_request', 'n'],
    ['an unknown model', { ...ask, model: 'ai/unknown' }, 404, 'model_not_found', 'model'],
    [
      'too many words',
      { ...ask, messages: [{ role: 'user', content: 'x '.repeat(99) }] },
      400,
      'context_length_exceeded',
      'messages',
    ],
  ])('refuses %s by name', async (_, body, status, code, param) => {
    const bench = await benchWithModel();
    const response = await bench.call(path, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await response.json()).toMatchObject({ error: { code, param } });
  });

  it('refuses a body over 10 MiB', async () => {
    const response = await makeBench().call(path, ' '.repeat(10 * 1024 * 1024 + 1));
    expect(response.status).toBe(413);
  });

  it('queues a second request behind a busy engine and answers both', async () => {
    const words = gate();
    const bench = await benchWithModel({ beforeWord: words.beforeWord });
    const first = bench.call(path, ask);
    const second = bench.call(path, ask);
    await expect.poll(() => words.waiting).toBe(1);
    expect(await (await bench.call('/engines/ps')).json()).toMatchObject([{ in_use: true, queued: 1 }]);
    const pump = setInterval(() => words.next(), 1);
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    clearInterval(pump);
    expect(bench.engine.loads).toBe(1);
  });

  it('shares one load between everyone who waits for it', async () => {
    const bench = await benchWithModel();
    await Promise.all([bench.call(path, ask), bench.call(path, ask), bench.call(path, ask)]);
    expect(bench.engine.loads).toBe(1);
  });

  it('stops the engine when the caller aborts, and serves the next request', async () => {
    const words = gate();
    const bench = await benchWithModel({ beforeWord: words.beforeWord });
    const abort = new AbortController();
    const response = await bench.call(path, { ...ask, stream: true }, { signal: abort.signal });
    const reading = response.text();
    await expect.poll(() => words.waiting).toBe(1);
    abort.abort();
    expect(await reading).toContain('"code":"aborted"');
    expect((await (await bench.call('/engines/ps')).json())[0]).not.toHaveProperty('in_use');
    const pump = setInterval(() => words.next(), 1);
    expect((await bench.call(path, ask)).status).toBe(200);
    clearInterval(pump);
  });

  it('stops the engine when the reader of the stream leaves', async () => {
    const words = gate();
    const bench = await benchWithModel({ beforeWord: words.beforeWord });
    const response = await bench.call(path, { ...ask, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await expect.poll(() => words.waiting).toBe(1);
    await reader?.cancel();
    await pending;
    await expect.poll(async () => (await (await bench.call('/engines/ps')).json())[0].in_use).toBe(undefined);
  });

  it('does not load a model for a caller who left, but does for one who stayed', async () => {
    const loading: (() => void)[] = [];
    const bench = await benchWithModel({
      onLoad: (_, signal) =>
        new Promise((resolve, reject) => {
          loading.push(resolve);
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const abort = new AbortController();
    const left = bench.call(path, ask, { signal: abort.signal });
    const stayed = bench.call(path, ask);
    await expect.poll(() => loading.length).toBe(1);
    abort.abort();
    expect((await left).status).toBe(499);
    loading[0]?.();
    expect((await stayed).status).toBe(200);
    expect(bench.engine.loads).toBe(1);
  });

  it('tells everyone who waited why a load failed, leaves nothing behind and loads afresh', async () => {
    let broken = true;
    const bench = await benchWithModel({
      onLoad: () => (broken ? Promise.reject(new Error('boom')) : Promise.resolve()),
    });
    const responses = await Promise.all([bench.call(path, ask), bench.call(path, ask)]);
    expect(responses.map((response) => response.status)).toEqual([500, 500]);
    expect(await (await bench.call('/engines/ps')).json()).toEqual([]);
    expect(bench.engine.loaded).toBe(0);
    broken = false;
    expect((await bench.call(path, ask)).status).toBe(200);
  });

  it('another model replaces an idle one when both do not fit into memory', async () => {
    const bench = await benchWithModel({ memoryBudgetBytes: () => 40 });
    await bench.call(path, ask);
    await bench.call(path, { ...ask, model: 'localhost:5000/ai/other' });
    expect(bench.engine).toMatchObject({ loads: 2, loaded: 1 });
    expect(await (await bench.call('/engines/ps')).json()).toMatchObject([
      { model_name: 'localhost:5000/ai/other' },
    ]);
  });

  it('unloads five minutes after the last use, and not before', async () => {
    const bench = await benchWithModel();
    await bench.call(path, ask);
    await bench.clock.advance(299_999);
    expect(bench.engine.loaded).toBe(1);
    await bench.call(path, ask);
    await bench.clock.advance(299_999);
    expect(bench.engine.loaded).toBe(1);
    await bench.clock.advance(1);
    expect(bench.engine.loaded).toBe(0);
  });

  it('loads with X-Preload-Only and answers with nothing', async () => {
    const bench = await benchWithModel();
    const response = await bench.call(path, { model: name }, { headers: { 'x-preload-only': 'true' } });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(bench.engine.loaded).toBe(1);
  });
});
