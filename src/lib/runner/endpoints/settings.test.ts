import { describe, expect, it } from 'vitest';
import { toApiError } from '#lib/core/errors.ts';
import type { SettingsJson } from '#lib/model/wire.ts';
import { defaultSettings } from '#lib/runner/preferences/parse.ts';
import { MemoryPreferencesStore, Preferences } from '#lib/runner/preferences/preferences.ts';
import { meansOf, noLadder, type AskLadder } from '#lib/runner/preferences/rung.ts';
import { Router } from '#lib/runner/router.ts';
import { makeBench as makeSchedulerBench, wanted } from '#lib/runner/scheduler/testing/bench.ts';
import { settingsRoutes } from './settings.ts';

const oldGpu: AskLadder = (wish) =>
  Promise.resolve({
    rung: wish === 'auto' ? 'webgpu' : wish,
    pinned: wish !== 'auto',
    rungs: [
      { rung: 'webgpu-f16', available: false, reason: 'the GPU has no shader-f16' },
      ...(['webgpu', 'wasm-threads', 'wasm'] as const).map((rung) => ({ rung, available: true })),
    ],
  });

function setUp() {
  const store = new MemoryPreferencesStore();
  const preferences = new Preferences(store);
  const pinned: SettingsJson['compute'][] = [];
  const bench = makeSchedulerBench({ keepAlive: () => preferences.keepAliveMs });
  const onMeans = () => {
    pinned.push(preferences.current.compute);
    return Promise.resolve();
  };
  const status = async () => ({
    compute: {
      ...(await oldGpu('auto')),
      wasm_build: 'SIMD',
      wasm_builds: [
        { build: 'relaxed', available: false, reason: 'the browser has no relaxed SIMD' },
        { build: 'simd', available: true },
        { build: 'package', available: true },
      ] as const,
    },
  });
  const router = new Router(
    settingsRoutes({ preferences, ladder: oldGpu, status, scheduler: bench.scheduler, onMeans }),
  );
  const call = async (init?: RequestInit): Promise<unknown> => {
    const answer = router.handle(new Request('http://localhost/_sampan/settings', init));
    return (await answer.catch((thrown: unknown) => toApiError(thrown).toResponse())).json();
  };
  const put = (body: unknown) => call({ method: 'PUT', body: JSON.stringify(body) });
  return { ...bench, store, pinned, get: call, put, take: bench.get };
}

describe('settings for all models', () => {
  it('are read whole and changed in part', async () => {
    const { get, put, store } = setUp();
    expect(await get()).toEqual(defaultSettings);
    const changed = { ...defaultSettings, context_size: 2048, memory_limit_bytes: 2 ** 30 };
    expect(await put({ context_size: 2048, memory_limit_bytes: 2 ** 30 })).toEqual(changed);
    expect(await put(changed)).toEqual(changed);
    expect(await get()).toEqual(changed);
    expect(store.saved).toEqual(changed);
  });

  it('refuse what is no setting and change nothing', async () => {
    const { put, store } = setUp();
    expect(await put({ parallel_pulls: 3, gpu: true })).toMatchObject({
      error: { code: 'unsupported_parameter', param: 'gpu' },
    });
    expect(store.saved).toBeUndefined();
  });

  it('refuse a rung that this machine lacks, with the reason', async () => {
    const { put, store, pinned } = setUp();
    expect(await put({ compute: 'webgpu-f16' })).toMatchObject({
      error: {
        code: 'invalid_request',
        param: 'compute',
        message: expect.stringContaining('the GPU has no shader-f16'),
      },
    });
    expect([store.saved, pinned]).toEqual([undefined, []]);
  });

  it('refuse a build that this browser cannot run, with the reason', async () => {
    const { put, store } = setUp();
    expect(await put({ cpu_build: 'relaxed' })).toMatchObject({
      error: {
        code: 'invalid_request',
        param: 'cpu_build',
        message: expect.stringContaining('the browser has no relaxed SIMD'),
      },
    });
    expect(await put({ cpu_build: 'mine' })).toMatchObject({ error: { param: 'cpu_build' } });
    expect(store.saved).toBeUndefined();
  });

  it('unload idle models of another build, on any rung: a model may be kept off the GPU', async () => {
    const { put, load, names } = setUp();
    await load(wanted('a', { means: 'webgpu, auto' }));
    expect(await put({ cpu_build: 'simd' })).toMatchObject({ cpu_build: 'simd' });
    expect(names()).toEqual([]);
    expect(await meansOf(noLadder, { ...defaultSettings, cpu_build: 'package' })).toBe('wasm, package');
    const gpu: AskLadder = async () => ({ ...(await noLadder('auto')), rung: 'webgpu-f16' });
    expect(await meansOf(gpu, { ...defaultSettings, cpu_build: 'package' })).toBe('webgpu-f16, package');
  });

  it('give an idle model the new keep-alive', async () => {
    const { put, load, clock, names } = setUp();
    await load(wanted('a'));
    await put({ keep_alive: '1s' });
    await clock.advance(1000);
    expect(names()).toEqual([]);
  });

  it('unload idle models of another rung, and those that answer later, which the answer says', async () => {
    const { put, load, take, names, pinned, clock } = setUp();
    await load(wanted('idle', { means: 'webgpu, auto' }));
    const busy = await take(wanted('busy', { means: 'webgpu, auto' }));
    expect(await put({ compute: 'wasm' })).toMatchObject({
      compute: 'wasm',
      note: expect.stringContaining('busy will be unloaded when idle'),
    });
    expect([names(), pinned]).toEqual([['busy'], ['wasm']]);
    busy.lease?.release();
    await clock.advance(0);
    expect(names()).toEqual([]);
  });

  it('leave models alone whose rung stays the same', async () => {
    const { put, load, names } = setUp();
    await load(wanted('a', { means: 'webgpu, auto' }));
    expect(await put({ compute: 'webgpu' })).not.toHaveProperty('note');
    expect(names()).toEqual(['a']);
  });
});
