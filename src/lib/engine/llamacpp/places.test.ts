import { expect, it } from 'vitest';
import { Places } from './places.ts';

/** Work that ends when the test says so. */
function setUp(count: number) {
  const places = new Places(count);
  const begun: number[] = [];
  const ends: ((failed?: Error) => void)[] = [];
  const enter = (number: number, signal = new AbortController().signal) =>
    places.take(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(number);
          ends[number] = (failed) => (failed ? reject(failed) : resolve(number));
        }),
      signal,
    );
  return { begun, ends, enter };
}

it('lets in as many as there are places, then the others in their order, whatever becomes of one', async () => {
  const { begun, ends, enter } = setUp(2);
  const all = [0, 1, 2, 3].map((number) => enter(number));
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('no'));
  await expect(all[1]).rejects.toThrow('no');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  ends[0]?.();
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  expect(await Promise.all([all[2], all[3]])).toEqual([2, 3]);
  void enter(4);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

it('keeps nobody waiting who is aborted, and passes over him', async () => {
  const { begun, ends, enter } = setUp(1);
  const abort = new AbortController();
  const [first, left, last] = [enter(0), enter(1, abort.signal), enter(2)];
  abort.abort();
  await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  ends[0]?.();
  await first;
  await expect.poll(() => begun).toEqual([0, 2]);
  ends[2]?.();
  expect(await last).toBe(2);
  await expect(enter(3, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
