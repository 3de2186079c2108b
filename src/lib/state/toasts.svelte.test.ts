import { expect, it, vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import { Toasts } from './toasts.svelte.ts';

function setUp() {
  const clock = new ManualClock();
  return { clock, toasts: new Toasts({ clock }) };
}

it('goes after eight seconds', async () => {
  const { clock, toasts } = setUp();
  toasts.say('Copied.');
  await clock.advance(7999);
  expect(toasts.list.map(({ text }) => text)).toEqual(['Copied.']);
  await clock.advance(1);
  expect(toasts.list).toEqual([]);
});

it('stays while it is held, and starts anew when it is let go', async () => {
  const { clock, toasts } = setUp();
  toasts.say('Copied.');
  const [toast] = toasts.list;
  if (!toast) throw new Error('There is a toast.');
  toasts.hold(toast.id);
  await clock.advance(60_000);
  expect(toasts.list).toHaveLength(1);
  toasts.release(toast);
  await clock.advance(8000);
  expect(toasts.list).toEqual([]);
});

it('keeps an offer until it is answered', async () => {
  const { clock, toasts } = setUp();
  toasts.offer('New version ready.', { label: 'Restart', run: vi.fn() });
  await clock.advance(600_000);
  expect(toasts.list).toHaveLength(1);
});

it('ends a timed offer in time, held or not: what it offers is no longer possible', async () => {
  const { clock, toasts } = setUp();
  toasts.offerFor(9500, 'Deleted.', { label: 'Undo', run: vi.fn() });
  const [toast] = toasts.list;
  if (!toast) throw new Error('There is a toast.');
  await clock.advance(9000);
  toasts.hold(toast.id);
  toasts.release(toast);
  await clock.advance(499);
  expect(toasts.list).toHaveLength(1);
  await clock.advance(1);
  expect(toasts.list).toEqual([]);
});

it('says what went wrong in the words of the error', async () => {
  const { toasts } = setUp();
  await toasts.report(Promise.reject(new ApiError('conflict', 'The model is in use.')));
  expect(toasts.list).toMatchObject([{ tone: 'bad', text: 'The model is in use.' }]);
});
