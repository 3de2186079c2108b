import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { LiveFeed } from './feed.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from './testing/scripted-client.ts';
import { modelSample } from './testing/wire-samples.ts';

const noHost = () =>
  json(
    { error: { message: 'No tab hosts the engine.', type: 'server_error', param: null, code: 'no_host' } },
    503,
  );

function setUp() {
  const streams: ScriptedStream[] = [];
  const client = new ScriptedClient().on('GET /_sampan/events', (_request, signal) => {
    const stream = new ScriptedStream(signal);
    streams.push(stream);
    return stream.response;
  });
  const clock = new ManualClock();
  const feed = new LiveFeed({ client, clock, onLost: () => undefined });
  return { client, clock, feed, streams };
}

it('shows what the runner sends', async () => {
  const { feed, streams } = setUp();
  const stop = feed.start();
  streams[0]?.event('models', [modelSample(1, 'docker.io/ai/smollm2:latest')]);
  await expect.poll(() => feed.models?.length).toBe(1);
  expect(feed.connection.kind).toBe('live');
  stop();
});

it('keeps the last known state while it reconnects, and takes the new host’s', async () => {
  const { clock, feed, streams } = setUp();
  const stop = feed.start();
  streams[0]?.event('models', [modelSample(1, 'docker.io/ai/a:latest')]);
  await expect.poll(() => feed.models?.length).toBe(1);

  streams[0]?.end();
  await expect.poll(() => feed.connection.kind).toBe('lost');
  expect(feed.models).toHaveLength(1);

  await clock.advance(250);
  await expect.poll(() => streams.length).toBe(2);
  streams[1]?.event('models', []);
  await expect.poll(() => feed.models?.length).toBe(0);
  expect(feed.connection.kind).toBe('live');
  stop();
});

it('tells why there is no feed, and a retry does not wait', async () => {
  const { client, feed } = setUp();
  client.on('GET /_sampan/events', noHost);
  const stop = feed.start();
  await expect.poll(() => feed.connection).toMatchObject({ kind: 'lost', error: { code: 'no_host' } });
  const before = client.sent.length;
  feed.retry();
  await expect.poll(() => client.sent.length).toBe(before + 1);
  stop();
});
