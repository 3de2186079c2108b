import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { Catalog } from './catalog.svelte.ts';
import { LiveFeed } from './feed.svelte.ts';
import { ModelDesk } from './model-desk.svelte.ts';
import { Models, type LocalModel } from './models.svelte.ts';
import { Tasks } from './tasks.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { digestOf, runnerSample } from './testing/wire-samples.ts';
import { Toasts } from './toasts.svelte.ts';

const id = digestOf(1);
const model: LocalModel = {
  id,
  reference: 'docker.io/ai/smollm2:latest',
  tags: ['docker.io/ai/smollm2:latest', 'docker.io/local/mine:latest'],
  title: 'SmolLM2',
  parameters: '360M',
  quantization: 'Q4_K_M',
  contextSize: 8192,
  sizeBytes: 271_000_000,
  createdMs: 0,
  runner: undefined,
};

function setUp() {
  const client = new ScriptedClient();
  const clock = new ManualClock();
  const feed = new LiveFeed({ client, clock, onLost: () => undefined });
  const catalog = new Catalog({ fetch: () => Promise.resolve(json([])), appHost: 'localhost' });
  const models = new Models({ client, feed, catalog });
  const toasts = new Toasts({ clock });
  const tasks = new Tasks({ onEnd: () => undefined });
  const desk = new ModelDesk({ client, models, tasks, toasts });
  const texts = () => toasts.list.map(({ text }) => text);
  const calls = () => client.sent.map(({ method, path }) => `${method} ${path}`);
  return { calls, client, clock, desk, tasks, texts, toasts };
}

it('undoes a delete for as long as the runner does', async () => {
  const { calls, client, clock, desk, texts, toasts } = setUp();
  client.on(`DELETE /_sampan/models/${id}`, json({})).on(`POST /_sampan/models/${id}/restore`, json({}));
  await desk.remove(model, undefined);
  expect(texts()).toEqual(['SmolLM2 is deleted.']);
  toasts.list[0]?.action?.run();
  expect(calls().at(-1)).toBe(`POST /_sampan/models/${id}/restore`);
  await clock.advance(9_999);
  expect(texts()).toEqual([]);
});

it('undoes the removal of a name by giving it again', async () => {
  const { calls, client, desk, toasts } = setUp();
  client.on('DELETE /models/local/mine', json([]));
  await desk.remove(model, 'docker.io/local/mine:latest');
  toasts.list[0]?.action?.run();
  await expect
    .poll(() => calls().at(-1))
    .toBe(`POST /models/${id}/tag?repo=docker.io%2Flocal%2Fmine&tag=latest`);
});

it('rejects when it cannot delete, and offers no undo', async () => {
  const { client, desk, texts } = setUp();
  const error = { message: 'In use.', type: 'invalid_request_error', param: null, code: 'conflict' };
  client.on(`DELETE /_sampan/models/${id}`, json({ error }, 409));
  await expect(desk.remove(model, undefined)).rejects.toMatchObject({ code: 'conflict' });
  expect(texts()).toEqual([]);
});

it('gives a model the name that it is pushed under', async () => {
  const { calls, client, desk } = setUp();
  const tag = `POST /models/${id}/tag?repo=registry.example.com%2Facme%2Fbot&tag=v1`;
  client
    .on(tag, json({}, 201))
    .on('POST /models/registry.example.com/acme/bot:v1/push', new Response('{"type":"success"}\n'))
    .on('POST /models/ai/smollm2/push', new Response('{"type":"success"}\n'));
  const known = await desk.push(model, 'ai/smollm2');
  await expect.poll(() => known.state.status).toBe('done');
  expect(calls()).toEqual(['POST /models/ai/smollm2/push']);
  const other = await desk.push(model, 'registry.example.com/acme/bot:v1');
  await expect.poll(() => other.state.status).toBe('done');
  expect(calls().slice(1)).toEqual([tag, 'POST /models/registry.example.com/acme/bot:v1/push']);
});

it('loads again what is loaded, and says when it cannot', async () => {
  const { calls, client, desk, texts } = setUp();
  client
    .on('POST /engines/unload', json({ unloaded_runners: 1 }))
    .on(`POST /_sampan/models/${id}/load`, json({}));
  desk.reload({ ...model, runner: runnerSample(1) });
  await expect.poll(calls).toEqual(['POST /engines/unload', `POST /_sampan/models/${id}/load`]);
  client.on('POST /engines/unload', json({ unloaded_runners: 0 }));
  desk.reload({ ...model, runner: runnerSample(1) });
  await expect.poll(texts).toEqual([expect.stringContaining('is answering a request')]);
  expect(calls()).toHaveLength(3);
});

it.each([
  [{ removed_blobs: 0, freed_bytes: 0 }, 'There is nothing to clean up.'],
  [{ removed_blobs: 1, freed_bytes: 312_000_000 }, '1 leftover file removed, 312 MB freed.'],
])('tells what a clean-up freed: %j', async (pruned, words) => {
  const { client, desk, texts } = setUp();
  client.on('POST /_sampan/prune', json(pruned));
  desk.prune();
  await expect.poll(texts).toEqual([words]);
});
