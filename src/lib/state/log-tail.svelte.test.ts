import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { LogTail } from './log-tail.svelte.ts';
import { lineSample, linesFrom, promptFrames, ScriptedLog } from './testing/log-samples.ts';
import { ScriptedClient } from './testing/scripted-client.ts';

function setUp() {
  const logs: ScriptedLog[] = [];
  const client = new ScriptedClient();
  const answer = (_request: unknown, signal: AbortSignal | undefined) => {
    const log = new ScriptedLog(signal);
    logs.push(log);
    return log.response;
  };
  for (const after of [0, 2, 3]) client.on(`GET /logs?follow=true&after=${after}`, answer);
  const clock = new ManualClock();
  const numbers: number[] = [];
  const tail = new LogTail({
    client,
    clock,
    frames: promptFrames,
    onLines: (lines) => numbers.push(...lines.map(({ number }) => number)),
  });
  return { client, clock, logs, numbers, tail };
}

it('hands on lines as they come', async () => {
  const { logs, numbers, tail } = setUp();
  const stop = tail.start();
  expect(tail.connection.kind).toBe('connecting');
  await expect.poll(() => tail.connection.kind).toBe('live');
  logs[0]?.write(...linesFrom(1, 2));
  logs[0]?.write(lineSample(3));
  await expect.poll(() => numbers).toEqual([1, 2, 3]);
  stop();
});

it('goes on after the last line when the runner comes back, and says that it is away', async () => {
  const { clock, logs, numbers, tail } = setUp();
  const stop = tail.start();
  await expect.poll(() => logs.length).toBe(1);
  logs[0]?.write(...linesFrom(1, 2));
  await expect.poll(() => numbers).toEqual([1, 2]);
  logs[0]?.end();
  await expect.poll(() => tail.connection).toMatchObject({ kind: 'lost', error: { code: 'host_lost' } });
  await clock.advance(250);
  await expect.poll(() => logs.length).toBe(2);
  logs[1]?.write(lineSample(3));
  await expect.poll(() => numbers).toEqual([1, 2, 3]);
  expect(tail.connection.kind).toBe('live');
  stop();
});

it('asks again at once on demand, and not at all once it is stopped', async () => {
  const { client, clock, logs, tail } = setUp();
  const stop = tail.start();
  await expect.poll(() => logs.length).toBe(1);
  logs[0]?.end();
  await expect.poll(() => tail.connection.kind).toBe('lost');
  tail.retry();
  await expect.poll(() => logs.length).toBe(2);
  stop();
  await clock.advance(60_000);
  expect(client.sent).toHaveLength(2);
});
