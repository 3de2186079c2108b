import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { LiveFeed } from './feed.svelte.ts';
import { percentOf, Pulls, secondsLeft } from './pulls.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from './testing/scripted-client.ts';
import { pullSample } from './testing/wire-samples.ts';

function setUp() {
  const client = new ScriptedClient();
  const feed = new LiveFeed({ client, clock: new ManualClock(), onLost: () => undefined });
  return { client, pulls: new Pulls({ client, feed }) };
}

it('starts a pull, with credentials only when there are some', async () => {
  const { client, pulls } = setUp();
  client.on('POST /_sampan/pulls', json({}, 202));
  await pulls.start('ai/smollm2');
  await pulls.start('ai/smollm2', { token: 'secret' });
  expect(client.sent.map(({ body }) => body)).toEqual([
    { from: 'ai/smollm2' },
    { from: 'ai/smollm2', credentials: { token: 'secret' } },
  ]);
});

it('names a pull by its escaped id', async () => {
  const { client, pulls } = setUp();
  const path = '/_sampan/pulls/docker.io%2Fai%2Fsmollm2%3A360M-Q4_K_M';
  client
    .on(`POST ${path}/pause`, json({}))
    .on(`POST ${path}/resume`, json({}))
    .on(`DELETE ${path}`, json({}));
  await pulls.pause(pullSample());
  await pulls.resume(pullSample());
  await pulls.cancel(pullSample());
  expect(client.sent.map(({ method }) => method)).toEqual(['POST', 'POST', 'DELETE']);
});

it('moves to the front, stores anyway, and pauses all that can be', async () => {
  const stream = new ScriptedStream();
  const client = new ScriptedClient().on('GET /_sampan/events', () => stream.response);
  const feed = new LiveFeed({ client, clock: new ManualClock(), onLost: () => undefined });
  const pulls = new Pulls({ client, feed });
  client
    .on('POST /_sampan/pulls/a/first', json({}))
    .on('POST /_sampan/pulls/a/anyway', json({}))
    .on('POST /_sampan/pulls/a/pause', json({}));
  await pulls.tell(pullSample({ id: 'a' }), 'first');
  await pulls.tell(pullSample({ id: 'a' }), 'anyway');
  const stop = feed.start();
  stream.event('pulls', [pullSample({ id: 'a' }), pullSample({ id: 'b', status: 'unpacking' })]);
  await expect.poll(() => pulls.moving.length).toBe(2);
  await pulls.pauseAll();
  expect(client.sent.at(-1)?.path).toBe('/_sampan/pulls/a/pause');
  stop();
});

it('says what the runner answered when it refuses', async () => {
  const { client, pulls } = setUp();
  const error = {
    message: '“x y” has a space in it.',
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_reference',
  };
  client.on('POST /_sampan/pulls', json({ error }, 400));
  await expect(pulls.start('x y')).rejects.toMatchObject({
    code: 'invalid_reference',
    message: error.message,
  });
});

it('counts percent and seconds', () => {
  expect(percentOf(pullSample())).toBe(64);
  expect(secondsLeft(pullSample())).toBe(10);
  expect(percentOf(pullSample({ total_bytes: 0 }))).toBeUndefined();
  expect(secondsLeft(pullSample({ status: 'paused' }))).toBeUndefined();
});
