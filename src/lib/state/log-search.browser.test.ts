import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { searchLimitMs, WorkerLogSearch } from './log-search.ts';

const clock = new ManualClock();
const search = new WorkerLogSearch(clock);
const never = new AbortController().signal;
const digits = { kind: 'expression', source: '\\d', flags: '' } as const;
/** Tries every way to split the letters: longer than any test runs. */
const endless = { kind: 'expression', source: '^(a+)+$', flags: '' } as const;
const poison = [`${'a'.repeat(60)}!`];

afterEach(() => search.close());

it('finds where an expression matches', async () => {
  const found = await search.find(digits, ['a1', 'none', '22'], never);
  expect(found).toEqual([
    [{ start: 1, end: 2 }],
    undefined,
    [
      { start: 0, end: 1 },
      { start: 1, end: 2 },
    ],
  ]);
});

it('stops an expression that takes too long, and works on', async () => {
  const stuck = search.find(endless, poison, never);
  await clock.advance(searchLimitMs);
  await expect(stuck).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await search.find(digits, ['1'], never)).toHaveLength(1);
});

it('stops when nobody waits any more, and works on', async () => {
  const left = new AbortController();
  const stuck = search.find(endless, poison, left.signal);
  left.abort(new DOMException('left', 'AbortError'));
  await expect(stuck).rejects.toMatchObject({ name: 'AbortError' });
  expect(await search.find(digits, ['1'], never)).toHaveLength(1);
});
