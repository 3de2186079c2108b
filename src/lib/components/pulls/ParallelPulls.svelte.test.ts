import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { RunnerSettings } from '#lib/state/runner-settings.svelte.ts';
import { json, ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import ParallelPulls from './ParallelPulls.svelte';

const select = () => page.getByRole('combobox', { name: 'At once' });

async function setUp() {
  const client = new ScriptedClient().on('GET /_sampan/settings', json({ parallel_pulls: 2 }));
  const onFail = vi.fn();
  await render(ParallelPulls, { settings: new RunnerSettings({ client }), onFail });
  await expect.element(select()).toHaveValue('2');
  return { client, onFail };
}

it('sets how many pulls go at once', async () => {
  const { client } = await setUp();
  client.on('PUT /_sampan/settings', json({ parallel_pulls: 8 }));
  await select().selectOptions('8');
  expect(client.sent.at(-1)).toMatchObject({ method: 'PUT', body: { parallel_pulls: 8 } });
  await expect.element(select()).toHaveValue('8');
});

it('goes back to what holds when the runner refuses', async () => {
  const { onFail } = await setUp();
  await select().selectOptions('5');
  await expect.poll(() => onFail.mock.calls.length).toBe(1);
  await expect.element(select()).toHaveValue('2');
});
