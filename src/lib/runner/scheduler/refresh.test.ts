import { describe, expect, it } from 'vitest';
import { makeBench, wanted } from './testing/bench.ts';

describe('settings that change while models are loaded', () => {
  it('give idle models the new keep-alive, but not those with one of their own', async () => {
    let keepAliveMs = 1000;
    const { clock, scheduler, load, names } = makeBench({ keepAlive: () => keepAliveMs });
    await load(wanted('a'));
    await load(wanted('b', { keepAliveMs: 900 }));
    keepAliveMs = 100;
    scheduler.refresh();
    expect(scheduler.keepAliveMs).toBe(100);
    await clock.advance(100);
    expect(names()).toEqual(['b']);
    await clock.advance(800);
    expect(names()).toEqual([]);
  });

  it('give memory to those who wait for it', async () => {
    let budgetBytes = 10;
    const { clock, scheduler, ask, get } = makeBench({ budget: () => budgetBytes });
    await get(wanted('a'));
    const waiting = ask(wanted('b'));
    await clock.advance(0);
    expect(waiting.lease).toBeUndefined();
    budgetBytes = 20;
    scheduler.refresh();
    await clock.advance(0);
    expect(waiting.lease).toBeDefined();
  });

  it('unload outdated models at once when they are idle, kept for ever or not', async () => {
    const { clock, scheduler, load, names } = makeBench();
    await load(wanted('a', { means: 'webgpu', keepAliveMs: Infinity }));
    await load(wanted('b', { means: 'wasm' }));
    scheduler.refresh(({ request }) => request.means !== 'wasm');
    await clock.advance(0);
    expect(names()).toEqual(['b']);
  });

  it('let outdated models answer to the end, also those who wait for them already', async () => {
    const { clock, engine, scheduler, ask, get, names } = makeBench();
    const answered = await get(wanted('a', { means: 'webgpu' }));
    const waiting = ask(wanted('a', { means: 'webgpu' }));
    scheduler.refresh(() => true);
    await clock.advance(0);
    expect([names(), waiting.lease]).toEqual([['a'], undefined]);
    answered.lease?.release();
    await clock.advance(0);
    expect(waiting.lease).toBeDefined();
    waiting.lease?.release();
    await clock.advance(0);
    expect([names(), engine.loads.length]).toEqual([[], 1]);
  });

  it('load a model again for who wants another rung', async () => {
    const { engine, load } = makeBench();
    await load(wanted('a', { means: 'webgpu' }));
    await load(wanted('a', { means: 'wasm' }));
    expect(engine.loads).toMatchObject([{ closes: 1 }, { closes: 0 }]);
  });
});
