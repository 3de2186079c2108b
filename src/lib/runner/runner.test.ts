import { describe, expect, it } from 'vitest';
import { bytesOf, makeBench, type Bench } from '#tests/support/runner-bench.ts';

const name = 'localhost:5000/ai/tiny:latest';

async function benchWithModel(): Promise<Bench> {
  const bench = makeBench();
  await bench.registry.publish(name, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: name })).text();
  return bench;
}

const get = async (bench: Bench, path: string) => (await bench.call(path)).json();

describe('the management API', () => {
  it('lists nothing on an empty store, in both shapes', async () => {
    const bench = makeBench();
    expect(await get(bench, '/models')).toEqual([]);
    expect(await get(bench, '/engines/v1/models')).toEqual({ object: 'list', data: [] });
    expect(await get(bench, '/engines/ps')).toEqual([]);
  });

  it('describes a model under every name it has', async () => {
    const bench = await benchWithModel();
    const [model] = await get(bench, '/models');
    expect(model).toMatchObject({
      tags: [name],
      config: { format: 'gguf', quantization: 'F32' },
      size_bytes: 4,
    });
    const hex = model.id.slice('sha256:'.length);
    for (const alias of [
      name,
      'localhost:5000/ai/tiny',
      'localhost:5000/AI/TINY',
      model.id,
      hex,
      hex.slice(0, 12),
      'tiny',
    ]) {
      expect(await get(bench, `/models/${alias}`), alias).toEqual(model);
    }
  });

  it.each(['someorg/tiny', 'tiny:latest', 'ai/unknown', 'ai/%20bad', '000000000000'])(
    'knows no %s',
    async (other) => {
      const bench = await benchWithModel();
      const { status } = await bench.call(`/models/${other}`);
      expect([400, 404]).toContain(status);
    },
  );

  it('lists models for OpenAI clients on every alias', async () => {
    const bench = await benchWithModel();
    const list = await get(bench, '/v1/models');
    expect(list).toMatchObject({ object: 'list', data: [{ id: name, object: 'model', owned_by: 'docker' }] });
    expect(await get(bench, '/engines/llama.cpp/v1/models')).toEqual(list);
    expect(await get(bench, `/v1/models/${name}`)).toEqual(list.data[0]);
    expect((await bench.call('/v1/models/tiny')).status).toBe(404);
  });

  it('deletes by tag with Docker Model Runner’s answer, and the bytes with it', async () => {
    const bench = await benchWithModel();
    const [{ id }] = await get(bench, '/models');
    const response = await bench.call(`/models/${name}`, undefined, { method: 'DELETE' });
    expect(await response.json()).toEqual([{ Untagged: name }, { Deleted: id }]);
    expect(await bench.store.list()).toEqual([]);
    expect((await bench.call(`/models/${name}`, undefined, { method: 'DELETE' })).status).toBe(404);
  });

  it('keeps the model while another tag names it, and refuses its id unless forced', async () => {
    const bench = await benchWithModel();
    const [stored] = await bench.index.list();
    await bench.call(`/models/${name}/tag?repo=localhost:5000/ai/alias&tag=1`, undefined, { method: 'POST' });
    const id = stored?.id ?? '';
    expect((await bench.call(`/models/${id}`, undefined, { method: 'DELETE' })).status).toBe(409);
    const untag = await bench.call('/models/localhost:5000/ai/alias:1', undefined, { method: 'DELETE' });
    expect(await untag.json()).toEqual([{ Untagged: 'localhost:5000/ai/alias:1' }]);
    await bench.call(`/models/${name}/tag?repo=localhost:5000/ai/alias&tag=1`, undefined, { method: 'POST' });
    const forced = await bench.call(`/models/${id}?force=true`, undefined, { method: 'DELETE' });
    expect(await forced.json()).toHaveLength(3);
    expect(await bench.store.list()).toEqual([]);
  });

  it('keeps a blob that another model shares', async () => {
    const bench = await benchWithModel();
    await bench.registry.publish('localhost:5000/ai/two:latest', [bytesOf('GGUF'), bytesOf('GGUF 2')]);
    await (await bench.call('/models/create', { from: 'localhost:5000/ai/two' })).text();
    await bench.call('/models/localhost:5000/ai/two', undefined, { method: 'DELETE' });
    expect(await bench.store.list()).toHaveLength(1);
  });

  it('unloads by name and all, and counts', async () => {
    const bench = await benchWithModel();
    const load = () =>
      bench.call(
        '/v1/chat/completions',
        { model: name, messages: [] },
        { headers: { 'x-preload-only': 'true' } },
      );
    await load();
    expect(await (await bench.call('/engines/unload', { models: ['ai/unknown'] })).json()).toEqual({
      unloaded_runners: 0,
    });
    expect(await (await bench.call('/engines/unload', { models: [name] })).json()).toEqual({
      unloaded_runners: 1,
    });
    await load();
    expect(await (await bench.call('/engines/unload', { all: true })).json()).toEqual({
      unloaded_runners: 1,
    });
    expect((await bench.call('/engines/unload', '{nope')).status).toBe(400);
    expect(bench.engine.loaded).toBe(0);
  });

  it('deletes a loaded model after unloading it', async () => {
    const bench = await benchWithModel();
    await bench.call('/v1/chat/completions', { model: name }, { headers: { 'x-preload-only': 'true' } });
    expect((await bench.call(`/models/${name}`, undefined, { method: 'DELETE' })).status).toBe(200);
    expect(bench.engine.loaded).toBe(0);
  });

  it('names engine and version', async () => {
    const bench = makeBench();
    expect(await get(bench, '/engines/status')).toEqual({ 'llama.cpp': 'Running: scripted' });
    expect(await get(bench, '/version')).toEqual({ version: '0.0.0-test' });
  });

  it.each([
    ['GET', '/nope', 404, 'route_not_found'],
    ['GET', '/engines/nope', 404, 'route_not_found'],
    ['POST', '/engines/nope/v1/chat/completions', 404, 'route_not_found'],
    ['PUT', '/models', 405, 'method_not_allowed'],
    ['POST', '/engines/ps', 405, 'method_not_allowed'],
    ['GET', '/models/%E0%A4%A', 400, 'invalid_request'],
  ])('answers %s %s with %i %s', async (method, path, status, code) => {
    const response = await makeBench().call(path, undefined, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    if (status === 405) expect(response.headers.get('allow')).toMatch(/GET|POST/);
  });
});

describe('the feed', () => {
  it('sends every subject at once and a changed one again', async () => {
    const bench = makeBench();
    await bench.registry.publish(name, [bytesOf('GGUF')]);
    const response = await bench.call('/_sampan/events');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const readUntil = async (text: string) => {
      while (!seen.includes(text))
        seen += (await reader?.read())?.value ?? expect.fail(`ended before ${text}`);
    };
    for (const subject of ['status', 'models', 'pulls', 'runners']) await readUntil(`event: ${subject}\n`);
    await (await bench.call('/models/create', { from: name })).text();
    await bench.clock.advance(200);
    await readUntil(`"tags":["${name}"]`);
    await readUntil('"status":"done"');
    await reader?.cancel();
    expect(bench.failures).toEqual([]);
  });
});
