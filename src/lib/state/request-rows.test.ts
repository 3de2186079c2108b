import { expect, it } from 'vitest';
import { RequestRows } from './request-rows.ts';
import { idOf, rowSample } from './testing/request-samples.ts';

function ids(rows: RequestRows): readonly string[] {
  return rows.list.map(({ id }) => id);
}

it('keeps the newest first, however they come', () => {
  const rows = new RequestRows();
  for (const n of [2, 5, 1, 4]) expect(rows.take(rowSample(n))).toBe(true);
  rows.takeAll([rowSample(3), rowSample(0)]);
  expect(ids(rows)).toEqual([5, 4, 3, 2, 1, 0].map(idOf));
});

it('keeps the higher version of a request, whichever comes first', () => {
  const rows = new RequestRows();
  rows.take(rowSample(1, { version: 3, prompt: 'newer' }));
  const before = rows.list;
  expect(rows.take(rowSample(1, { version: 2, prompt: 'older' }))).toBe(false);
  expect(rows.list).toBe(before);
  rows.takeAll([rowSample(1, { version: 1 })]);
  expect(rows.list).toMatchObject([{ prompt: 'newer' }]);
  expect(rows.take(rowSample(1, { version: 4, prompt: 'newest' }))).toBe(false);
  expect(rows.list).toMatchObject([{ prompt: 'newest' }]);
});

it('drops what is gone and counts what was here', () => {
  const rows = new RequestRows();
  rows.takeAll([rowSample(1), rowSample(2)]);
  expect(rows.drop([idOf(2), idOf(9)])).toBe(1);
  expect(ids(rows)).toEqual([idOf(1)]);
});
