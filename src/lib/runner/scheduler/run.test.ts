import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { makeBench, wanted, type BenchOptions } from './testing/bench.ts';
import { lostError, type LoadScript, type MemoryModel } from './testing/memory-engine.ts';
import type { Lease } from './request.ts';

const never = new AbortController().signal;

/** Every use dies with the next of `deaths` after the words that come before it; the rest says all words. */
function bench(
  deaths: readonly { readonly after: number; readonly error: Error }[],
  options: BenchOptions = {},
) {
  const made = makeBench(options);
  const uses: Lease[] = [];
  async function* use(lease: Lease) {
    const death = deaths[uses.push(lease) - 1];
    for (const [index, word] of ['one', 'two'].entries()) {
      await Promise.resolve();
      if (death?.after === index) throw death.error;
      yield word;
    }
  }
  const said: string[] = [];
  const run = async (signal: AbortSignal = never, isAnswer?: (word: string) => boolean) => {
    for await (const word of made.scheduler.run(wanted('a'), signal, use, isAnswer)) said.push(word);
  };
  /** Runs on a clock that goes on for as long as a retry may wait. */
  const outcome = async (...parameters: Parameters<typeof run>) => {
    const running = run(...parameters).then(
      () => 'done',
      (thrown: unknown) => thrown,
    );
    await made.clock.advance(0);
    await made.clock.advance(5000);
    return running;
  };
  return { ...made, uses, said, run, outcome };
}

const dies = (after: number) => ({ after, error: lostError() });
const script = (loads: readonly LoadScript[]) => (nth: number) => loads[nth] ?? {};

describe('a request', () => {
  it('has the model while it iterates, and gives it back', async () => {
    const { said, scheduler, outcome } = bench([]);
    expect(await outcome()).toBe('done');
    expect(said).toEqual(['one', 'two']);
    expect(scheduler.residents).toMatchObject([{ state: 'idle' }]);
  });

  it('gives the model back when its reader leaves', async () => {
    const { clock, scheduler } = bench([]);
    const words = scheduler.run(wanted('a'), never, async function* () {
      yield 'one';
      yield 'two';
    });
    await words.next();
    expect(scheduler.residents).toMatchObject([{ state: 'busy' }]);
    await words.return();
    await clock.advance(0);
    expect(scheduler.residents).toMatchObject([{ state: 'idle' }]);
  });

  it('that was not answered yet is tried once more on a fresh engine', async () => {
    const { said, uses, engine, outcome } = bench([dies(0)]);
    expect(await outcome()).toBe('done');
    expect(said).toEqual(['one', 'two']);
    expect(uses[0]?.model).not.toBe(uses[1]?.model);
    expect(engine.loads).toMatchObject([{ closes: 1 }, { closes: 0 }]);
  });

  it('whose model died while it loaded is tried once more', async () => {
    const { said, outcome } = bench([], { script: script([{ failure: lostError() }]) });
    expect(await outcome()).toBe('done');
    expect(said).toEqual(['one', 'two']);
  });

  it('that lost its engine twice hears what would help', async () => {
    const { uses, engine, outcome } = bench([dies(0), dies(0)]);
    const error = await outcome();
    expect(error).toMatchObject({ code: 'device_lost', cause: { message: 'The engine stopped.' } });
    expect(String(error)).toMatch(/“a” stopped twice.*context, now 64 tokens.*smaller model/s);
    expect([uses.length, engine.held]).toEqual([2, []]);
  });

  it('keeps another reason as it is after the second loss', async () => {
    const error = new ApiError('host_stalled', 'It hangs.');
    expect(await bench([dies(0), { after: 0, error }]).outcome()).toBe(error);
  });

  it('that was answered in part is not tried again, and its model is dropped', async () => {
    const { said, uses, scheduler, outcome } = bench([dies(1)]);
    expect(await outcome()).toMatchObject({ code: 'device_lost', message: 'The engine stopped.' });
    expect([said, uses.length, scheduler.residents]).toEqual([['one'], 1, []]);
  });

  it('that has told only its progress is tried again', async () => {
    const { said, outcome } = bench([dies(1)]);
    expect(await outcome(never, (word) => word !== 'one')).toBe('done');
    expect(said).toEqual(['one', 'one', 'two']);
  });

  it('that fails by itself is not tried again, and its model stays', async () => {
    const error = new ApiError('context_length_exceeded', 'Too long.');
    const { uses, scheduler, outcome } = bench([{ after: 0, error }]);
    expect(await outcome()).toBe(error);
    expect([uses.length, scheduler.residents]).toMatchObject([1, [{ state: 'idle' }]]);
  });

  it('that is aborted while it waits for its retry ends with the reason', async () => {
    const { clock, run, scheduler } = bench([dies(0)]);
    const left = new AbortController();
    const running = expect(run(left.signal)).rejects.toBe('reason');
    await clock.advance(500);
    expect(scheduler.queued).toBe(1);
    left.abort('reason');
    await running;
    expect(scheduler.queued).toBe(0);
  });

  it('is not tried again once the runner is closed', async () => {
    const { clock, scheduler } = bench([]);
    let died: (error: Error) => void = () => undefined;
    const words = scheduler.run(wanted('a'), never, async function* () {
      yield await new Promise<string>((_, reject) => (died = reject));
    });
    const first = expect(words.next()).rejects.toMatchObject({ code: 'device_lost' });
    await clock.advance(0);
    await scheduler.close();
    died(lostError());
    await first;
  });

  it('does not bury a fresh engine for the death of the old one', async () => {
    const { clock, engine, scheduler, get } = bench([]);
    const deaths: ((error: Error) => void)[] = [];
    const use = async function* () {
      yield await new Promise<string>((resolve, reject) =>
        deaths.push((error) => (deaths.length > 2 ? resolve('said') : reject(error))),
      );
    };
    const two = { parallel: 2 };
    const words = [1, 2].map(() => scheduler.run(wanted('a', two), never, use).next());
    await clock.advance(0);
    const [old] = engine.loads as [MemoryModel];
    old.die();
    deaths[0]?.(lostError());
    await clock.advance(0);
    await clock.advance(1000);
    deaths[1]?.(lostError());
    await clock.advance(0);
    expect(engine.loads.map(({ closes }) => closes)).toEqual([1, 0]);
    for (const end of deaths.slice(2)) end(lostError());
    expect(await Promise.all(words)).toEqual([
      { done: false, value: 'said' },
      { done: false, value: 'said' },
    ]);
    expect((await get(wanted('a', two))).error).toBeUndefined();
  });
});
