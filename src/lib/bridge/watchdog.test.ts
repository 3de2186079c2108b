import { expect, it, vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Watchdog } from './watchdog.ts';

function watched() {
  const clock = new ManualClock();
  const ask = vi.fn();
  const onStalled = vi.fn();
  return { clock, ask, onStalled, watchdog: new Watchdog({ clock, ask, onStalled }) };
}

it('asks after 10 s of silence and reports after 10 s more', async () => {
  const { clock, ask, onStalled } = watched();
  await clock.advance(9_999);
  expect(ask).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(ask).toHaveBeenCalledOnce();
  await clock.advance(9_999);
  expect(onStalled).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(onStalled).toHaveBeenCalledOnce();
});

it('counts silence from the last message, not from the start', async () => {
  const { clock, ask, watchdog } = watched();
  await clock.advance(6_000);
  watchdog.heard();
  await clock.advance(9_999);
  expect(ask).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(ask).toHaveBeenCalledOnce();
});

it('goes on watching after an answer', async () => {
  const { clock, ask, onStalled, watchdog } = watched();
  await clock.advance(10_000);
  watchdog.heard();
  await clock.advance(10_000);
  expect(onStalled).not.toHaveBeenCalled();
  await clock.advance(10_000);
  expect(ask).toHaveBeenCalledTimes(2);
  expect(onStalled).toHaveBeenCalledOnce();
});

it('says nothing once it is stopped', async () => {
  const { clock, ask, watchdog } = watched();
  watchdog.stop();
  await clock.advance(60_000);
  expect(ask).not.toHaveBeenCalled();
});
