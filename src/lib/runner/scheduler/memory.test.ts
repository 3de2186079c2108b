import { describe, expect, it } from 'vitest';
import { makeBench, modelId, wanted } from './testing/bench.ts';

describe('within a budget', () => {
  it('several models stay, and the least recently used one makes room', async () => {
    const { clock, load, names } = makeBench({ budgetBytes: 20 });
    for (const name of ['a', 'b', 'a', 'c']) {
      await load(wanted(name));
      await clock.advance(1);
    }
    expect(names()).toEqual(['a', 'c']);
  });

  it('a model is loaded when the one that makes room is gone, not before', async () => {
    const { clock, engine, ask, load } = makeBench({ budgetBytes: 10, script: () => ({ closeMs: 100 }) });
    await load(wanted('a'));
    const asked = ask(wanted('b'));
    await clock.advance(0);
    expect(engine.loads).toHaveLength(1);
    await clock.advance(99);
    expect(asked.lease).toBeUndefined();
    await clock.advance(1);
    expect(asked.lease).toBeDefined();
  });

  it('an engine that never closes is not waited for longer than ten seconds', async () => {
    const { clock, ask, load } = makeBench({ budgetBytes: 10, script: () => ({ closeMs: 1e9 }) });
    await load(wanted('a'));
    const asked = ask(wanted('b'));
    await clock.advance(0);
    await clock.advance(9999);
    expect(asked.lease).toBeUndefined();
    await clock.advance(1);
    expect(asked.lease).toBeDefined();
  });

  it('a busy or loading model is never evicted; who needs its room waits', async () => {
    const { clock, engine, ask, get } = makeBench({ budgetBytes: 10, script: () => ({ loadMs: 100 }) });
    const first = ask(wanted('a'));
    await clock.advance(0);
    const second = await get(wanted('b'));
    await clock.advance(100);
    expect(engine.loads).toHaveLength(1);
    first.lease?.release();
    await clock.advance(0);
    await clock.advance(100);
    expect(second.lease).toBeDefined();
    expect(engine.loads).toMatchObject([{ closes: 1 }, { closes: 0 }]);
  });

  it('a model larger than all memory is loaded alone', async () => {
    const { load, names } = makeBench({ budgetBytes: 25 });
    for (const name of ['a', 'b']) await load(wanted(name));
    await load(wanted('giant', { sizeBytes: 1000 }));
    expect(names()).toEqual(['giant']);
    await load(wanted('a'));
    expect(names()).toEqual(['a']);
  });

  it('pinned models stay; if only they are in the way, the request hears which', async () => {
    const { load, get, names } = makeBench({ budgetBytes: 30 });
    await load(wanted('ai/one', { keepAliveMs: Infinity }));
    await load(wanted('ai/two', { keepAliveMs: Infinity }));
    await load(wanted('c'));
    await load(wanted('d'));
    expect(names()).toEqual(['ai/one', 'ai/two', 'd']);
    const { error } = await get(wanted('e', { sizeBytes: 2e9 }));
    expect(error).toMatchObject({ code: 'insufficient_memory', message: expect.stringContaining('2.00 GB') });
    expect(String(error)).toContain('“ai/one” and “ai/two”');
    expect((await get(wanted('ai/one'))).lease).toBeDefined();
  });

  it('memory that shrank is respected at the next load', async () => {
    let budgetBytes = 30;
    const bench = makeBench({ budget: () => budgetBytes });
    for (const name of ['a', 'b', 'c']) await bench.load(wanted(name));
    budgetBytes = 20;
    expect(bench.names()).toEqual(['a', 'b', 'c']);
    await bench.load(wanted('d'));
    expect(bench.names()).toEqual(['c', 'd']);
  });
});

describe('a request that waits for room', () => {
  /** `busy` is asked for again and again, so that it is never idle; `other` needs its room. */
  async function contend() {
    const bench = makeBench({ budgetBytes: 10 });
    const held = [await bench.get(wanted('busy', { parallel: 2 }))];
    const other = await bench.get(wanted('other'));
    const another = async () => {
      held.push(await bench.get(wanted('busy', { parallel: 2 })));
      held.shift()?.lease?.release();
      await bench.clock.advance(0);
    };
    return { ...bench, held, other, another };
  }

  it('lets later ones use the model for a while, then has its turn', async () => {
    const { clock, held, other, another, names } = await contend();
    for (let times = 0; times < 4; times++) {
      await another();
      expect([held[0]?.lease, other.lease]).toEqual([expect.anything(), undefined]);
      await clock.advance(1000);
    }
    await clock.advance(1000);
    await another();
    expect(names()).toEqual(['other']);
    expect([held[0]?.lease, other.lease]).toEqual([undefined, expect.anything()]);
    other.lease?.release();
    await clock.advance(0);
    expect(held[0]?.lease).toBeDefined();
  });

  it('comes after those who came before it', async () => {
    const { clock, get, ask } = makeBench({ budgetBytes: 10 });
    const [first, second] = [await get(wanted('a')), ask(wanted('a'))];
    const other = ask(wanted('b'));
    const last = ask(wanted('a'));
    await clock.advance(10_000);
    first.lease?.release();
    await clock.advance(0);
    expect([second.lease, other.lease, last.lease]).toEqual([expect.anything(), undefined, undefined]);
    second.lease?.release();
    await clock.advance(0);
    expect([other.lease, last.lease]).toEqual([expect.anything(), undefined]);
    other.lease?.release();
    await clock.advance(0);
    expect(last.lease).toBeDefined();
  });

  it('holds nobody back any more when it leaves', async () => {
    const { clock, get, ask } = makeBench({ budgetBytes: 10 });
    const held = await get(wanted('a', { parallel: 2 }));
    const left = new AbortController();
    ask(wanted('b'), left.signal);
    await clock.advance(6000);
    const late = await get(wanted('a', { parallel: 2 }));
    expect(late.lease).toBeUndefined();
    left.abort();
    await clock.advance(0);
    expect([held.lease, late.lease]).toEqual([expect.anything(), expect.anything()]);
  });

  it('does not keep back a small model that fits beside its plan', async () => {
    const { get } = makeBench({ budgetBytes: 30 });
    const held = await get(wanted('a', { sizeBytes: 20 }));
    const big = await get(wanted('b', { sizeBytes: 20 }));
    const small = await get(wanted('c', { sizeBytes: 10 }));
    expect([held.lease, big.lease, small.lease]).toEqual([expect.anything(), undefined, expect.anything()]);
    expect((await get(wanted('d', { sizeBytes: 1 }))).lease).toBeUndefined();
  });

  it('is counted, though its model is nowhere yet', async () => {
    const { get, scheduler } = makeBench({ budgetBytes: 10 });
    await get(wanted('a'));
    await get(wanted('b'));
    expect([scheduler.queued, scheduler.residentOf(modelId('b'), 'completion')]).toEqual([1, undefined]);
  });
});
