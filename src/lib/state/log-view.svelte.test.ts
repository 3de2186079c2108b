import { expect, it, vi } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { LogSearch } from './log-search.ts';
import { LogView, type LogViewOptions } from './log-view.svelte.ts';
import { engineSample, lineSample, linesFrom, promptFrames } from './testing/log-samples.ts';

const noSearch: LogSearch = {
  find: () => Promise.reject(new ApiError('invalid_request', 'This expression takes too long.')),
  close: () => undefined,
};

function setUp(options: Partial<LogViewOptions> = {}) {
  return new LogView({ frames: promptFrames, search: noSearch, ...options });
}

const numbers = (view: LogView) => view.shownLines().map(({ line }) => line.number);

it('shows lines as they come, and counts them by level and part', async () => {
  const view = setUp();
  view.take([lineSample(1), engineSample(2, { level: 'error' })]);
  await expect.poll(() => numbers(view)).toEqual([1, 2]);
  expect(view.counts).toEqual({
    total: 2,
    levels: { debug: 0, info: 1, warn: 0, error: 1 },
    components: ['llama.cpp', 'runner'],
  });
});

it('filters by level, source, part and words, and shows all again', async () => {
  const view = setUp();
  view.take([
    lineSample(1),
    lineSample(2, { level: 'debug' }),
    engineSample(3),
    lineSample(4, { component: 'store', message: 'kept', fields: { request: 'req_4' } }),
  ]);
  await expect.poll(() => numbers(view)).toEqual([1, 2, 3, 4]);
  view.toggleLevel('debug');
  await expect.poll(() => numbers(view)).toEqual([1, 3, 4]);
  view.showSource('service');
  await expect.poll(() => numbers(view)).toEqual([1, 4]);
  view.showSource('engine');
  await expect.poll(() => numbers(view)).toEqual([3]);
  view.showSource('part:store');
  await expect.poll(() => numbers(view)).toEqual([4]);
  view.showSource('all');
  view.find('REQ_4');
  await expect.poll(() => numbers(view)).toEqual([4]);
  view.take([lineSample(5), lineSample(6, { message: 'again req_4' })]);
  await expect.poll(() => numbers(view)).toEqual([4, 6]);
  view.showAll();
  await expect.poll(() => numbers(view)).toEqual([1, 2, 3, 4, 5, 6]);
});

it('keeps what it showed while an expression is broken, and says why', async () => {
  const view = setUp();
  view.take(linesFrom(1, 3));
  view.find('line 2');
  await expect.poll(() => numbers(view)).toEqual([2]);
  view.find('/(/');
  expect(view.failure).toMatch(/not a regular expression/);
  expect(numbers(view)).toEqual([2]);
  view.find('');
  expect(view.failure).toBeUndefined();
  await expect.poll(() => numbers(view)).toEqual([1, 2, 3]);
});

it('gives up an expression that takes too long, and shows everything', async () => {
  const view = setUp();
  view.take(linesFrom(1, 3));
  view.find('/(a+)+$/');
  await expect.poll(() => view.failure).toBe('This expression takes too long.');
  await expect.poll(() => numbers(view)).toEqual([1, 2, 3]);
});

it('leaves a search that nobody waits for any more', async () => {
  const find = vi.fn<LogSearch['find']>(
    (_pattern, _texts, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  const view = setUp({ search: { find, close: () => undefined } });
  view.take(linesFrom(1, 3));
  view.find('/never/');
  await expect.poll(() => find.mock.calls.length).toBe(1);
  view.find('line 3');
  await expect.poll(() => numbers(view)).toEqual([3]);
  expect(view.failure).toBeUndefined();
});

it('loses nothing in a pause, and filters what it holds still', async () => {
  const view = setUp();
  view.take(linesFrom(1, 2));
  await expect.poll(() => numbers(view)).toEqual([1, 2]);
  view.pause();
  view.take(linesFrom(3, 2));
  expect(view.waiting).toBe(2);
  view.find('line');
  await expect.poll(() => view.list.rows.length).toBe(3);
  expect(numbers(view)).toEqual([1, 2]);
  view.resume();
  await expect.poll(() => numbers(view)).toEqual([1, 2, 3, 4]);
  expect(view.waiting).toBe(0);
});

it('keeps the newest lines only, in a pause too', async () => {
  const view = setUp({ maxLines: 100 });
  view.take(linesFrom(1, 100));
  await expect.poll(() => numbers(view).length).toBe(100);
  view.take(linesFrom(101, 20));
  await expect.poll(() => numbers(view)[0]).toBe(21);
  expect(numbers(view)).toHaveLength(100);
  view.pause();
  view.take(linesFrom(121, 300));
  expect(numbers(view)[0], 'what is looked at stays').toBe(21);
  view.resume();
  await expect.poll(() => numbers(view)[0]).toBe(321);
  expect(numbers(view).at(-1)).toBe(420);
  expect(view.counts.total).toBe(100);
});

it('clears the view, whatever it is doing', async () => {
  const view = setUp();
  view.take(linesFrom(1, 9000));
  view.clear();
  await expect.poll(() => view.list.rows.length).toBe(0);
  view.take(linesFrom(9001, 1));
  await expect.poll(() => numbers(view)).toEqual([9001]);
});

it('takes 100 000 lines in batches', async () => {
  const view = setUp();
  view.take(linesFrom(1, 100_000));
  view.find('99999');
  await expect.poll(() => numbers(view)).toEqual([99_999]);
  view.find('');
  await expect.poll(() => view.list.lineCount).toBe(100_000);
});

it('opens a fold, and keeps it open when the filter changes', async () => {
  const view = setUp();
  view.take([engineSample(1), engineSample(2)]);
  await expect.poll(() => view.list.rows.length).toBe(2);
  const fold = view.list.rows[1];
  if (fold?.kind !== 'fold') throw new Error('no fold');
  view.toggleFold(fold);
  expect(view.list.rows).toHaveLength(4);
  view.toggleLevel('debug');
  await expect.poll(() => view.list.rows).toHaveLength(4);
  expect(numbers(view)).toEqual([1, 2]);
  view.showEngineOutput('apart');
  await expect.poll(() => view.list.rows).toHaveLength(3);
});
