import { describe, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Backoff } from './backoff.ts';
import { makeBench, wanted } from './testing/bench.ts';
import type { LoadScript } from './testing/memory-engine.ts';

/** Loads that go one after the other as listed; the rest lives. */
function bench(loads: readonly LoadScript[]) {
  return makeBench({ script: (nth) => loads[nth] ?? {} });
}

describe('the wait after a death', () => {
  it('doubles from one second up to thirty; after a life that lasted it is one again', async () => {
    const clock = new ManualClock();
    let over = 0;
    const backoff = new Backoff(clock, () => over++);
    const waitsMs = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [index, waitMs] of [...waitsMs, 1000, 2000].entries()) {
      backoff.lost(index === waitsMs.length ? 60_000 : 59_999);
      await clock.advance(waitMs - 1);
      expect([backoff.over, over], `loss ${index}`).toEqual([false, index]);
      await clock.advance(1);
      expect([backoff.over, over], `loss ${index}`).toEqual([true, index + 1]);
    }
    backoff.lost(0);
    backoff.stop();
    await clock.advance(30_000);
    expect(over).toBe(waitsMs.length + 2);
  });
});

describe('a model whose engine died', () => {
  it('is dropped, idle or busy, and loaded again after a second', async () => {
    const { clock, engine, load, get, ask, names } = bench([{ diesAfterMs: 100 }, { diesAfterMs: 61_000 }]);
    await load(wanted('a'));
    await clock.advance(100);
    expect([names(), engine.held]).toEqual([[], []]);
    const again = ask(wanted('a'));
    await clock.advance(999);
    expect(engine.loads).toHaveLength(1);
    await clock.advance(1);
    expect(again.lease).toBeDefined();
    const waiting = await get(wanted('a'));
    await clock.advance(61_000);
    expect(engine.loads[1]).toMatchObject({ closes: 1 });
    await clock.advance(1000);
    expect(waiting.lease).toBeDefined();
    again.lease?.release();
    expect((await get(wanted('a'))).lease).toBeUndefined();
  });

  it('does not hold up other models', async () => {
    const { clock, load, get } = bench([{ diesAfterMs: 1 }]);
    await load(wanted('a'));
    await clock.advance(1);
    expect((await get(wanted('a'))).lease).toBeUndefined();
    expect((await get(wanted('b'))).lease).toBeDefined();
  });
});
