import { expect, it } from 'vitest';
import { RunnerSettings } from './runner-settings.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';

const kept = {
  parallel_pulls: 2,
  context_size: null,
  keep_alive: '5m',
  memory_limit_bytes: null,
  compute: 'auto',
  cpu_build: 'auto',
} as const;

it('shows what the runner has, changes a part of it, and shows what that made of the whole', async () => {
  const client = new ScriptedClient()
    .on('GET /_sampan/settings', json(kept))
    .on('PUT /_sampan/settings', ({ body }) => json({ ...kept, ...(body as object) }));
  const settings = new RunnerSettings({ client });
  expect(settings.current).toBeUndefined();
  await settings.load();
  expect(settings.current).toEqual(kept);
  await settings.change({ parallel_pulls: 5 });
  expect(client.sent.at(-1)?.body).toEqual({ parallel_pulls: 5 });
  expect(settings.current).toEqual({ ...kept, parallel_pulls: 5 });
});

it('keeps what holds when the runner refuses', async () => {
  const error = { code: 'invalid_request', message: 'Too many.', param: 'parallel_pulls' };
  const client = new ScriptedClient()
    .on('GET /_sampan/settings', json(kept))
    .on('PUT /_sampan/settings', json({ error }, 400));
  const settings = new RunnerSettings({ client });
  await settings.load();
  await expect(settings.change({ parallel_pulls: 99 })).rejects.toMatchObject(error);
  expect(settings.current).toEqual(kept);
});
