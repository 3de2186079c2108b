import { expect, it } from 'vitest';
import { RunnerSettings } from './runner-settings.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';

it('shows what the runner has, changes it, and shows what that made of it', async () => {
  const client = new ScriptedClient()
    .on('GET /_sampan/settings', json({ parallel_pulls: 2 }))
    .on('PUT /_sampan/settings', ({ body }) => json(body));
  const settings = new RunnerSettings({ client });
  expect(settings.current).toBeUndefined();
  await settings.load();
  expect(settings.current).toEqual({ parallel_pulls: 2 });
  await settings.change({ parallel_pulls: 5 });
  expect(settings.current).toEqual({ parallel_pulls: 5 });
});
