import { expect, it } from 'vitest';
import { ManualClock, systemClock } from '#lib/core/clock.ts';
import { died } from './worker-watch.ts';

const { locks } = navigator;
const newName = () => `worker-watch:${crypto.randomUUID()}`;

function watch(name: string, clock = systemClock) {
  const stopping = new AbortController();
  const watched = { ended: false };
  const outcome = died(name, { locks, clock, signal: stopping.signal });
  void outcome.finally(() => (watched.ended = true));
  return { outcome, watched, stop: () => stopping.abort() };
}

/** Resolves once the lock is held. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve) => {
    void locks.request(name, { mode: 'shared' }, () => new Promise<void>((release) => resolve(release)));
  });
}

it('takes no worker for dead whose lock comes later than the watch', async () => {
  const name = newName();
  const { outcome, watched } = watch(name);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const release = await hold(name);
  await expect.poll(async () => (await locks.query()).pending?.some((lock) => lock.name === name)).toBe(true);
  expect(watched.ended).toBe(false);
  release();
  expect(await outcome).toBe(true);
});

it('takes one for dead whose lock never comes', async () => {
  const clock = new ManualClock();
  const { outcome } = watch(newName(), clock);
  await expect
    .poll(async () => {
      await clock.advance(1000);
      return clock.now();
    })
    .toBeGreaterThan(5000);
  expect(await outcome).toBe(true);
});

it('ends when it is told to, before and after the lock is there', async () => {
  const early = watch(newName());
  early.stop();
  expect(await early.outcome).toBe(false);
  const name = newName();
  const release = await hold(name);
  const late = watch(name);
  await new Promise((resolve) => setTimeout(resolve, 50));
  late.stop();
  expect(await late.outcome).toBe(false);
  release();
});
