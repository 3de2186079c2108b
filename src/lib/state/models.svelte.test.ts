import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Catalog } from './catalog.svelte.ts';
import { LiveFeed } from './feed.svelte.ts';
import { Models, ownBytes } from './models.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from './testing/scripted-client.ts';
import { digestOf, modelSample, runnerSample } from './testing/wire-samples.ts';

function setUp() {
  const stream = new ScriptedStream();
  const client = new ScriptedClient().on('GET /_sampan/events', () => stream.response);
  const feed = new LiveFeed({ client, clock: new ManualClock(), onLost: () => undefined });
  const catalog = new Catalog({ fetch: () => Promise.resolve(json([])), appHost: 'localhost' });
  const models = new Models({ client, feed, catalog });
  return { client, models, stream, stop: feed.start() };
}

const id = digestOf(1);

it('knows of each model what it takes, when it was used and why it cannot run', async () => {
  const { models, stream, stop } = setUp();
  const plain = modelSample(1, 'docker.io/ai/a:latest');
  const special = {
    ...modelSample(2, 'docker.io/ai/b:latest'),
    own_bytes: 70_000_000,
    last_used: 1_790_000_100,
    obstacle: 'safetensors only',
    missing_files: 1,
  };
  stream.event('models', [plain, special]);
  await expect.poll(() => models.list?.length).toBe(2);
  const [a, b] = models.list ?? [];
  expect(a).not.toHaveProperty('sharedBytes');
  expect(b).toMatchObject({
    sharedBytes: 200_000_000,
    lastUsedMs: 1_790_000_100_000,
    obstacle: 'safetensors only',
    missingFiles: 1,
  });
  expect(b && ownBytes(b)).toBe(70_000_000);
  expect(models.find(digestOf(2))).toBe(b);
  expect(models.find('ai/b')).toBe(b);
  stop();
});

it('names a model more, by registry, repository and tag', async () => {
  const { client, models, stop } = setUp();
  const path = `/models/${id}/tag?repo=docker.io%2Flocal%2Fmine&tag=v1`;
  client.on(`POST ${path}`, json({}, 201));
  await models.addTag(id, 'local/mine:v1');
  expect(client.sent.at(-1)?.path).toBe(path);
  await expect(models.addTag(id, 'no name')).rejects.toMatchObject({ code: 'invalid_reference' });
  await expect(models.addTag(id, `local/mine@${id}`)).rejects.toMatchObject({ code: 'invalid_reference' });
  stop();
});

it('deletes so that it can be undone', async () => {
  const { client, models, stop } = setUp();
  client
    .on(`DELETE /_sampan/models/${id}`, json({}))
    .on(`POST /_sampan/models/${id}/restore`, json({}))
    .on('DELETE /models/hf.co/org/repo:Q4', json([]));
  await models.remove(id);
  await models.restore(id);
  await models.removeTag('huggingface.co/org/repo:Q4');
  expect(client.sent.filter(({ path }) => path !== '/_sampan/events')).toHaveLength(3);
  stop();
});

it('does not take a busy model for unloaded', async () => {
  const { client, models, stop } = setUp();
  client.on('POST /engines/unload', json({ unloaded_runners: 0 }));
  await expect(models.unload(runnerSample(1))).rejects.toMatchObject({ code: 'conflict' });
  client.on('POST /engines/unload', json({ unloaded_runners: 1 }));
  await models.unload(runnerSample(1));
  stop();
});
