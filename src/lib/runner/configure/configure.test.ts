import { expect, it, describe } from 'vitest';
import type { ModelDetailJson } from '#lib/model/wire.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import { bytesOf, makeBench, type Bench } from '#tests/support/runner-bench.ts';
import { settingsFor, withDefaults } from './defaults.ts';

const name = 'localhost:5000/ai/tiny:latest';

async function benchWithModel(): Promise<Bench> {
  const bench = makeBench();
  await bench.registry.publish(name, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: name })).text();
  return bench;
}

const configure = (bench: Bench, body: object, path = '/engines/_configure') =>
  bench.call(path, { model: name, ...body });
const shown = async (bench: Bench, query = '') =>
  (await (await bench.call(`/engines/_configure${query}`)).json()) as { Config: object; Mode: string }[];
const preload = (bench: Bench) =>
  bench.call('/v1/chat/completions', { model: name }, { headers: { 'x-preload-only': 'true' } });
const inForce = async (bench: Bench) =>
  ((await (await bench.call(`/_sampan/models/${name}`)).json()) as ModelDetailJson).in_force;

describe('_configure', () => {
  it('keeps what was asked, in Docker Model Runner’s shape, and each call replaces all of it', async () => {
    const bench = await benchWithModel();
    expect((await configure(bench, { 'context-size': 32, keep_alive: '10m' })).status).toBe(202);
    const [{ id } = { id: '' }] = await bench.index.list();
    expect(await shown(bench)).toEqual([
      {
        Backend: 'llama.cpp',
        Model: name,
        ModelID: id,
        Mode: 'completion',
        Config: { 'context-size': 32, keep_alive: '10m' },
      },
    ]);
    await configure(bench, {
      'raw-runtime-flags': '--temp 0.1',
      'runtime-flags': ['--top-k', '3', '--embeddings'],
    });
    expect(await shown(bench, `?model=${name}`)).toMatchObject([
      { Mode: 'embedding', Config: { sampan: { top_k: 3 } } },
    ]);
    await configure(bench, {}, '/engines/llama.cpp/_configure');
    expect(await shown(bench)).toEqual([]);
    expect(await shown(bench, '?model=ai/unknown:1')).toEqual([]);
  });

  it.each([
    [{ 'runtime-flags': ['--model', '/etc/passwd'] }, 'unsupported_parameter'],
    [{ 'runtime-flags': ['--temp', 'hot'] }, 'invalid_request'],
    [{ 'raw-runtime-flags': '--threads 0' }, 'invalid_request'],
    [{ mode: 'dancing' }, 'invalid_request'],
    [{ keep_alive: 'soon' }, 'invalid_request'],
    [{ keep_alive: 300 }, 'invalid_request'],
    [{ 'context-size': -1 }, 'invalid_request'],
    [{ speculative: { draft_model: 'x' } }, 'unsupported_parameter'],
    [{ vllm: {} }, 'unsupported_parameter'],
    [{ nonsense: 1 }, 'invalid_request'],
  ])('refuses %j', async (body, code) => {
    const bench = await benchWithModel();
    const response = await configure(bench, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(await shown(bench)).toEqual([]);
  });

  it('answers 404 for a model or an engine that is not there', async () => {
    const bench = await benchWithModel();
    expect((await bench.call('/engines/_configure', { model: 'ai/unknown:1' })).status).toBe(404);
    expect((await configure(bench, {}, '/engines/nope/_configure')).status).toBe(404);
    expect((await bench.call('/engines/_configure', '{nope')).status).toBe(400);
  });

  it('outlives the runner', async () => {
    const bench = await benchWithModel();
    await configure(bench, { 'context-size': 32 });
    const { store, index, settings } = bench;
    expect(await shown(makeBench({ store, index, settings }))).toHaveLength(1);
  });
});

describe('settings', () => {
  const put = (bench: Bench, body: unknown) =>
    bench.call(`/_sampan/models/${name}/settings`, undefined, { method: 'PUT', body: JSON.stringify(body) });

  it('are what the model is loaded with; the trained context is never exceeded', async () => {
    const bench = await benchWithModel();
    await put(bench, {
      context_size: 100_000,
      threads: 2,
      cache_type_k: 'q8_0',
      gpu_layers: 3,
      keep_alive: '-1',
    });
    expect(await inForce(bench)).toBeUndefined();
    await preload(bench);
    expect(await inForce(bench)).toEqual({
      context_size: 64,
      keep_alive: '-1',
      gpu_layers: 3,
      threads: 2,
      cache_type_k: 'q8_0',
      cache_type_v: 'f16',
      flash_attention: true,
      parallel: 1,
      outdated: false,
    });
  });

  it('that change while it is loaded hold from the next request on', async () => {
    const bench = await benchWithModel();
    await preload(bench);
    await put(bench, { context_size: 16 });
    expect(await inForce(bench)).toMatchObject({ context_size: 64, outdated: true });
    await preload(bench);
    expect(await inForce(bench)).toMatchObject({ context_size: 16, outdated: false });
    expect(bench.engine.loads).toBe(2);
  });

  it('are applied by a load that is asked for', async () => {
    const bench = await benchWithModel();
    await put(bench, { context_size: 16 });
    expect((await bench.call(`/_sampan/models/${name}/load`, '')).status).toBe(204);
    expect(await inForce(bench)).toMatchObject({ context_size: 16, outdated: false });
    expect((await bench.call('/_sampan/models/ai/none/load', '')).status).toBe(404);
  });

  it('of keep-alive and sampling load nothing anew', async () => {
    const bench = await benchWithModel();
    await preload(bench);
    await put(bench, { keep_alive: '10s', temperature: 0.3 });
    await preload(bench);
    expect(bench.engine.loads).toBe(1);
    await bench.clock.advance(9000);
    expect(bench.engine.loaded).toBe(1);
    await bench.clock.advance(1000);
    expect(bench.engine.loaded).toBe(0);
  });

  it('of a keep-alive of nothing unload at once', async () => {
    const bench = await benchWithModel();
    await put(bench, { keep_alive: '0' });
    await preload(bench);
    await bench.clock.advance(0);
    expect(bench.engine.loaded).toBe(0);
  });

  it.each([
    [{ context_size: 1.5 }, 'context_size'],
    [{ temperature: 3 }, 'temperature'],
    [{ cache_type_v: 'q9' }, 'cache_type_v'],
    [{ cache_type_v: 'q8_0', flash_attention: false }, 'cache_type_v'],
    [{ warp: 9 }, 'warp'],
    [[], 'body'],
    [null, 'body'],
  ])('%j are refused, naming the field', async (body, param) => {
    const bench = await benchWithModel();
    const response = await put(bench, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param } });
  });
});

describe('the defaults of a request', () => {
  const request = (fields: object = {}): ChatRequest => ({
    model: name,
    messages: [{ role: 'user', content: 'Hi' }],
    ...fields,
  });

  it('fill what the request leaves open and nothing else', () => {
    const settings = { temperature: 0.2, top_k: 5, max_tokens: 7, system_prompt: 'Be brief.' };
    const filled = withDefaults(request({ temperature: 0, top_k: null }), settings);
    expect(filled).toMatchObject({ temperature: 0, top_k: 5, max_tokens: 7 });
    expect(filled.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(withDefaults(request({ max_completion_tokens: 3 }), settings).max_tokens).toBeUndefined();
  });

  it('leave out what WebLLM cannot do', () => {
    const settings = { top_k: 5, min_p: 0.1, top_p: 0.9 };
    expect(settingsFor('webllm', settings)).toEqual({ top_p: 0.9 });
    expect(settingsFor('llama.cpp', settings)).toEqual(settings);
  });

  it('leave a system message of the request alone', () => {
    const messages = [{ role: 'developer', content: 'Mine.' }];
    expect(withDefaults(request({ messages }), { system_prompt: 'Other.' }).messages).toEqual(messages);
  });

  it('turn thinking on and off, unless the request says it itself', () => {
    expect(withDefaults(request(), { think: false }).chat_template_kwargs).toEqual({
      enable_thinking: false,
    });
    expect(withDefaults(request(), { think: true, think_budget: 0 }).chat_template_kwargs).toEqual({
      enable_thinking: false,
    });
    const own = { chat_template_kwargs: { enable_thinking: true } };
    expect(withDefaults(request(own), { think: false }).chat_template_kwargs).toEqual(
      own.chat_template_kwargs,
    );
    expect(withDefaults(request(), {}).chat_template_kwargs).toBeUndefined();
  });
});
