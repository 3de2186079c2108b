import { describe, expect, it } from 'vitest';
import { toApiError } from '#lib/core/errors.ts';
import type { RunnerMode } from '#lib/engine/port.ts';
import { Library } from '#lib/runner/library/library.ts';
import { Router } from '#lib/runner/router.ts';
import { makeBench as makeSchedulerBench, wanted } from '#lib/runner/scheduler/testing/bench.ts';
import { bytesOf, makeBench } from '#tests/support/runner-bench.ts';
import { engineRoutes } from './engines.ts';

const name = 'localhost:5000/ai/tiny:latest';

/** A stored model that is loaded in two modes, beside another one that is not stored. */
async function setUp() {
  const bench = makeBench();
  const { index, store, registry } = bench;
  await registry.publish(name, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: name })).text();
  const [model] = await index.list();
  const { scheduler, engine, get, load, clock } = makeSchedulerBench({ keepAliveMs: 300_000 });
  const request = (mode: RunnerMode) => ({
    ...wanted('tiny', { mode, keepAliveMs: 60_000 }),
    id: model?.id ?? 'sha256:',
  });
  for (const mode of ['completion', 'embedding'] as const) await load(request(mode));
  await load(wanted('other', { keepAliveMs: Infinity }));
  const router = new Router(
    engineRoutes({
      engines: [engine],
      library: new Library(index, store),
      store,
      scheduler,
      engineBytes: () => Promise.resolve(7),
    }),
  );
  const call = async (path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = router.handle(new Request(`http://localhost/engines/${path}`, init));
    return (await answer.catch((thrown: unknown) => toApiError(thrown).toResponse())).json();
  };
  const loaded = () =>
    scheduler.residents.map((resident) => `${resident.request.name} ${resident.request.mode}`);
  return { call, request, get, loaded, clock };
}

describe('the engines', () => {
  it('list every model in memory, in each of its modes', async () => {
    const { call, request, get } = await setUp();
    await get(request('completion'));
    await get(request('completion'));
    expect(await call('ps')).toMatchObject([
      { model_name: 'tiny', mode: 'completion', in_use: true, active: 1, queued: 1, keep_alive: '1m0s' },
      { model_name: 'tiny', mode: 'embedding', active: 0, expires_at: '1970-01-01T00:01:00.000Z' },
      { model_name: 'other', mode: 'completion', keep_alive: '-1', memory_bytes: 10, device: 'nowhere' },
    ]);
  });

  it.each([
    [{ all: true }, 3],
    [{ models: [name] }, 2],
    [{ models: [name], mode: 'embedding' }, 1],
    [{ models: ['ai/unknown', '%%'] }, 0],
    [{ all: true, backend: 'llama.cpp' }, 3],
    [{ all: true, backend: '', models: null }, 3],
    [{ all: true, backend: 'webllm' }, 0],
    [{}, 0],
  ])('unload %j', async (body, count) => {
    const { call, loaded } = await setUp();
    expect(await call('unload', body)).toEqual({ unloaded_runners: count });
    expect(loaded()).toHaveLength(3 - count);
  });

  it('leave a busy model alone and refuse a mode that does not exist', async () => {
    const { call, request, get, loaded } = await setUp();
    await get(request('completion'));
    expect(await call('unload', { all: true })).toEqual({ unloaded_runners: 2 });
    expect(loaded()).toEqual(['tiny completion']);
    for (const body of [{ all: true, mode: 'dreaming' }, [], [null]]) {
      expect(await call('unload', body)).toMatchObject({ error: { code: 'invalid_request' } });
    }
  });

  it('tell what models and engines take on disk', async () => {
    const { call } = await setUp();
    expect(await call('df')).toEqual({ models_disk_usage: 4, default_backend_disk_usage: 7 });
  });
});
