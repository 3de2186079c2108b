import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { makeBench, modelId, wanted } from './testing/bench.ts';

const never = new AbortController().signal;

describe('leases', () => {
  it('share one load between all who wait for it', async () => {
    const { engine, scheduler, clock, ask } = makeBench({ script: () => ({ loadMs: 100 }) });
    const asked = [1, 2, 3].map(() => ask(wanted('a', { parallel: 3 })));
    expect(scheduler.residents).toMatchObject([{ state: 'loading', queued: 3, engine: undefined }]);
    await clock.advance(0);
    await clock.advance(99);
    expect(asked[0]?.lease).toBeUndefined();
    await clock.advance(1);
    expect(asked.every(({ lease }) => lease?.engine === 'llama.cpp')).toBe(true);
    expect(scheduler.residents).toMatchObject([{ state: 'busy', active: 3, queued: 0, engine: 'llama.cpp' }]);
    expect(engine.loads).toHaveLength(1);
  });

  it('are given in order of arrival, as many at once as the model takes', async () => {
    const { scheduler, clock, ask } = makeBench();
    const asked = [1, 2, 3, 4].map(() => ask(wanted('a', { parallel: 2 })));
    await clock.advance(0);
    const held = () => asked.map(({ lease }) => lease !== undefined);
    expect(held()).toEqual([true, true, false, false]);
    expect(scheduler.queued).toBe(2);
    asked[1]?.lease?.release();
    asked[1]?.lease?.release();
    await clock.advance(0);
    expect(held()).toEqual([true, true, true, false]);
    asked[0]?.lease?.release();
    await clock.advance(0);
    expect(held()).toEqual([true, true, true, true]);
    expect(scheduler.residentOf(modelId('a'), 'completion')).toMatchObject({ active: 2, queued: 0 });
  });

  it('of different models do not wait for each other, nor do two modes of one', async () => {
    const { engine, scheduler, get } = makeBench();
    await get(wanted('a'));
    expect((await get(wanted('b'))).lease).toBeDefined();
    expect((await get(wanted('a', { mode: 'embedding' }))).lease).toBeDefined();
    expect(engine.loads.map(({ inForce }) => inForce.mode)).toEqual([
      'completion',
      'completion',
      'embedding',
    ]);
    expect(scheduler.residentOf(modelId('a'), 'embedding')).toMatchObject({ state: 'busy' });
    expect(scheduler.residentOf(modelId('a'), 'reranking')).toBeUndefined();
  });

  it('tell who listens about every change', async () => {
    const { scheduler, clock, ask } = makeBench();
    const seen: string[] = [];
    scheduler.changed.subscribe(() => seen.push(scheduler.residents[0]?.state ?? 'none'));
    const asked = ask(wanted('a', { keepAliveMs: 0 }));
    await clock.advance(0);
    asked.lease?.release();
    await clock.advance(0);
    expect(seen.filter((state, index) => state !== seen[index - 1])).toEqual(['loading', 'busy', 'none']);
  });
});

describe('a load', () => {
  it('that fails refuses all who wait for it, leaves nothing and is tried afresh', async () => {
    const failure = new ApiError('unsupported_model_format', 'No.');
    const { engine, scheduler, clock, ask, get } = makeBench({
      script: (nth) => (nth === 0 ? { failure } : {}),
    });
    const asked = [ask(wanted('a')), ask(wanted('a')), ask(wanted('b'))];
    await clock.advance(0);
    expect(asked.map(({ error }) => error)).toEqual([failure, failure, undefined]);
    expect(scheduler.residents.map(({ request }) => request.name)).toEqual(['b']);
    expect(engine.held).toHaveLength(1);
    expect((await get(wanted('a'))).lease).toBeDefined();
  });

  it.each([
    ['cannot be opened', () => Promise.reject(new ApiError('model_not_found', 'Gone.')), 'model_not_found'],
    ['throws something else', () => Promise.reject(new Error('boom')), 'internal'],
    [
      'needs an engine that is not there',
      () => Promise.resolve({ kind: 'mlc', id: modelId('a'), files: new Map() } as const),
      'unsupported_model_format',
    ],
  ])('of a model that %s is refused with a code', async (_, open, code) => {
    const { scheduler, get } = makeBench();
    expect((await get(wanted('a', { open }))).error).toMatchObject({ code });
    expect(scheduler.residents).toEqual([]);
  });

  it('is given up when the last one who waits for it leaves', async () => {
    const { engine, scheduler, clock, ask } = makeBench({ script: () => ({ loadMs: 100 }) });
    const [one, two] = [new AbortController(), new AbortController()];
    const asked = [ask(wanted('a'), one.signal), ask(wanted('a'), two.signal)];
    one.abort();
    await clock.advance(50);
    expect([asked[0]?.error, asked[1]?.error]).toEqual([one.signal.reason, undefined]);
    expect(scheduler.residents).toMatchObject([{ state: 'loading', queued: 1 }]);
    two.abort();
    await clock.advance(0);
    expect(scheduler.residents).toEqual([]);
    expect(engine.loads).toMatchObject([{ state: 'failed', closes: 0 }]);
  });

  it('that does not heed the abort is closed when it arrives, and the next one begins after that', async () => {
    const { engine, clock, ask } = makeBench({
      script: (nth) => (nth === 0 ? { loadMs: 100, onAbort: 'ignore' } : {}),
    });
    const left = new AbortController();
    ask(wanted('a'), left.signal);
    await clock.advance(0);
    await clock.advance(10);
    left.abort();
    const next = ask(wanted('a'));
    await clock.advance(89);
    expect(engine.loads).toHaveLength(1);
    await clock.advance(1);
    expect(engine.loads).toMatchObject([{ state: 'freed', closes: 1 }, { state: 'held' }]);
    expect(next.lease).toBeDefined();
  });

  it('that never ends after its abort is not waited for longer than ten seconds', async () => {
    const { engine, clock, ask } = makeBench({
      script: (nth) => (nth === 0 ? { loadMs: 1e9, onAbort: 'ignore' } : {}),
    });
    const left = new AbortController();
    ask(wanted('a'), left.signal);
    await clock.advance(0);
    left.abort();
    const next = ask(wanted('a'));
    await clock.advance(9999);
    expect(next.lease).toBeUndefined();
    await clock.advance(1);
    expect(next.lease).toBeDefined();
    await clock.advance(1e9);
    expect(engine.loads[0]).toMatchObject({ closes: 1 });
  });

  it('is not begun for a request that was aborted before', async () => {
    const { engine, scheduler } = makeBench();
    await expect(scheduler.acquire(wanted('a'), AbortSignal.abort())).rejects.toThrow('aborted');
    expect([engine.loads.length, scheduler.queued]).toEqual([0, 0]);
  });
});

describe('unloading', () => {
  it('takes the idle ones that are meant, and counts them', async () => {
    const { scheduler, engine, load, get, names } = makeBench();
    for (const name of ['a', 'b']) await load(wanted(name));
    await get(wanted('busy'));
    expect(await scheduler.unload(({ request }) => request.name === 'a')).toBe(1);
    expect(names()).toEqual(['b', 'busy']);
    expect(await scheduler.unload()).toBe(1);
    expect(await scheduler.unload()).toBe(0);
    expect(engine.held.map(({ id }) => id)).toEqual([modelId('busy')]);
  });

  it('frees a model in all its modes, and refuses while it answers or loads in one', async () => {
    const { scheduler, clock, engine, load, ask, get } = makeBench({
      script: (nth) => (nth === 2 ? { loadMs: 10 } : {}),
    });
    await load(wanted('a'));
    const busy = await get(wanted('a', { mode: 'embedding' }));
    await expect(scheduler.free(modelId('a'))).rejects.toMatchObject({ code: 'conflict' });
    busy.lease?.release();
    const loading = ask(wanted('a', { mode: 'reranking' }));
    await expect(scheduler.free(modelId('a'))).rejects.toMatchObject({ code: 'conflict' });
    await clock.advance(10);
    loading.lease?.release();
    await scheduler.free(modelId('a'));
    await scheduler.free(modelId('unknown'));
    expect(engine.held).toEqual([]);
  });

  it('goes on when an engine fails to close', async () => {
    const { scheduler, engine, failures, load, get } = makeBench();
    await load(wanted('a'));
    const boom = new Error('boom');
    Object.assign(engine.loads[0] ?? {}, { close: () => Promise.reject(boom) });
    expect(await scheduler.unload()).toBe(1);
    expect(failures).toEqual([boom]);
    expect((await get(wanted('a'))).lease).toBeDefined();
  });

  it('ends everything on close: busy, loading and waiting', async () => {
    const { scheduler, engine, clock, ask, get } = makeBench({
      script: (nth) => (nth === 1 ? { loadMs: 100 } : {}),
    });
    const busy = await get(wanted('a'));
    const waiting = [ask(wanted('a')), ask(wanted('b'))];
    await scheduler.close();
    await clock.advance(0);
    expect(waiting.map(({ error }) => error)).toMatchObject([{ code: 'host_lost' }, { code: 'host_lost' }]);
    busy.lease?.release();
    expect([engine.held.length, scheduler.residents.length, scheduler.queued]).toEqual([0, 0, 0]);
    await expect(scheduler.acquire(wanted('a'), never)).rejects.toMatchObject({ code: 'host_lost' });
  });
});
