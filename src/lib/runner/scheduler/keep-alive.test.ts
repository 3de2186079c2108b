import { describe, expect, it } from 'vitest';
import { makeBench, modelId, wanted } from './testing/bench.ts';

describe('an idle model', () => {
  it('leaves after its keep-alive, counted from its last answer', async () => {
    const { clock, scheduler, load, names } = makeBench({ keepAliveMs: 1000 });
    await load(wanted('a'));
    await load(wanted('b', { keepAliveMs: 500 }));
    expect(scheduler.residents.map(({ expiresAtMs }) => expiresAtMs)).toEqual([1000, 500]);
    await clock.advance(499);
    expect(names()).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(names()).toEqual(['a']);
    await load(wanted('a'));
    await clock.advance(999);
    expect(names()).toEqual(['a']);
    await clock.advance(1);
    expect(names()).toEqual([]);
  });

  it('stays five minutes by default', async () => {
    const { clock, load, names } = makeBench();
    await load(wanted('a'));
    await clock.advance(299_999);
    expect(names()).toEqual(['a']);
    await clock.advance(1);
    expect(names()).toEqual([]);
  });

  it('with a keep-alive of 0 leaves at once, but serves those who wait first', async () => {
    const { clock, engine, ask } = makeBench();
    const asked = [1, 2].map(() => ask(wanted('a', { keepAliveMs: 0 })));
    await clock.advance(0);
    asked[0]?.lease?.release();
    await clock.advance(0);
    expect(engine.held).toHaveLength(1);
    asked[1]?.lease?.release();
    await clock.advance(0);
    expect(engine.loads).toMatchObject([{ closes: 1 }]);
  });

  it('with an endless keep-alive never leaves, until a request says otherwise', async () => {
    const { clock, scheduler, load, names } = makeBench();
    await load(wanted('a', { keepAliveMs: Infinity }));
    expect(scheduler.residents).toMatchObject([{ expiresAtMs: undefined }]);
    await clock.advance(1e9);
    expect(names()).toEqual(['a']);
    await load(wanted('a', { keepAliveMs: 10 }));
    await clock.advance(10);
    expect(names()).toEqual([]);
  });

  it('stays longer than a timer of a browser can be', async () => {
    const { clock, load, names } = makeBench();
    const after = clock.after.bind(clock);
    const delays: number[] = [];
    clock.after = (delayMs, callback) => (delays.push(delayMs), after(delayMs, callback));
    const hundredDaysMs = 8_640_000_000;
    await load(wanted('a', { keepAliveMs: hundredDaysMs }));
    await clock.advance(hundredDaysMs - 1);
    expect(names()).toEqual(['a']);
    await clock.advance(1);
    expect(names()).toEqual([]);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
  });

  it('leaves when its timer says so, though the clock was set back', async () => {
    const { clock, load, names } = makeBench({ keepAliveMs: 1000 });
    await load(wanted('a'));
    clock.now = () => -5000;
    await clock.advance(1000);
    expect(names()).toEqual([]);
  });

  it('that is busy does not expire', async () => {
    const { clock, scheduler, get, names } = makeBench({ keepAliveMs: 10 });
    const { lease } = await get(wanted('a'));
    await clock.advance(1000);
    expect([names(), scheduler.residents[0]?.expiresAtMs]).toEqual([['a'], undefined]);
    lease?.release();
    await clock.advance(9);
    expect(names()).toEqual(['a']);
    await clock.advance(1);
    expect(names()).toEqual([]);
  });

  it('is unloaded once when the keep-alive ends while it is being unloaded', async () => {
    const { clock, scheduler, engine, load, ask } = makeBench({
      keepAliveMs: 10,
      script: () => ({ closeMs: 50 }),
    });
    await load(wanted('a'));
    await clock.advance(9);
    const unloaded = scheduler.unload();
    const next = ask(wanted('a'));
    await clock.advance(0);
    await clock.advance(1);
    expect(next.lease).toBeUndefined();
    await clock.advance(49);
    expect([await unloaded, engine.loads.map(({ closes }) => closes)]).toEqual([1, [1, 0]]);
    expect(next.lease).toBeDefined();
  });
});

describe('a changed config', () => {
  it('loads an idle model again at the next request, and only then', async () => {
    const { engine, scheduler, load } = makeBench();
    await load(wanted('a'));
    expect(engine.loads).toHaveLength(1);
    await load(wanted('a', { contextSize: 128 }));
    expect(engine.loads).toMatchObject([
      { contextSize: 64, closes: 1 },
      { contextSize: 128, closes: 0 },
    ]);
    expect(scheduler.residentOf(modelId('a'), 'completion')).toMatchObject({ loaded: { contextSize: 128 } });
  });

  it('waits until those who use the old one are done; nobody overtakes', async () => {
    const { engine, clock, ask, get } = makeBench();
    const old = [await get(wanted('a', { parallel: 2 })), await get(wanted('a', { parallel: 2 }))];
    const changed = ask(wanted('a', { parallel: 2, contextSize: 128 }));
    old[0]?.lease?.release();
    const late = ask(wanted('a', { parallel: 2 }));
    await clock.advance(0);
    expect([changed.lease, late.lease, engine.loads.length]).toEqual([undefined, undefined, 1]);
    old[1]?.lease?.release();
    await clock.advance(0);
    expect([changed.lease?.model.contextSize, late.lease]).toEqual([128, undefined]);
    changed.lease?.release();
    await clock.advance(0);
    expect(late.lease?.model.contextSize).toBe(64);
  });

  it('is the same config whatever order it is written in', async () => {
    const { engine, load } = makeBench();
    await load({ ...wanted('a'), config: { contextSize: 64, threads: 2 } });
    await load({ ...wanted('a'), config: { threads: 2, contextSize: 64 } });
    expect(engine.loads).toHaveLength(1);
  });
});
