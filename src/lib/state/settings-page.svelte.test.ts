import { expect, it, vi } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { GrantJson } from '#lib/model/wire-access.ts';
import type { SettingsJson } from '#lib/model/wire.ts';
import { RunnerSettings } from './runner-settings.svelte.ts';
import { SettingsPage } from './settings-page.svelte.ts';
import { Saves } from './settings-page-saves.svelte.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { Toasts } from './toasts.svelte.ts';

const settings: SettingsJson = {
  parallel_pulls: 2,
  context_size: null,
  keep_alive: '5m',
  memory_limit_bytes: null,
  compute: 'auto',
  cpu_build: 'auto',
};
const recording = { recording: true, max_count: 10_000, max_bytes: 1024 };
const grant: GrantJson = {
  origin: 'https://notes.example',
  decision: 'always',
  models: ['ai/a'],
  created_ms: 0,
  requests: 3,
};
const refusal = (message: string) => json({ error: { code: 'invalid_request', message, param: null } }, 400);

function setUp() {
  const client = new ScriptedClient()
    .on('GET /_sampan/settings', json(settings))
    .on('PUT /_sampan/settings', ({ body }) => json({ ...settings, ...(body as object) }))
    .on('GET /_sampan/requests/settings', json(recording))
    .on('PUT /_sampan/requests/settings', ({ body }) => json({ ...recording, ...(body as object) }))
    .on('GET /_sampan/requests?limit=1', json({ kept: { count: 128, bytes: 9 } }))
    .on('GET /engines/status', json({ 'llama.cpp': 'Running: b1' }))
    .on('GET /_sampan/grants', json([grant]));
  const toasts = new Toasts({ clock: new ManualClock() });
  const persistStorage = vi.fn(() => Promise.resolve(true));
  const writeText = vi.fn(() => Promise.resolve());
  const page = new SettingsPage({
    client,
    runner: new RunnerSettings({ client }),
    toasts,
    clipboard: { writeText },
    origin: 'http://localhost:12434',
    persistStorage,
    erase: () => Promise.resolve(),
  });
  return { client, page, toasts, persistStorage, writeText };
}

it('reads each part for itself: one that fails leaves the others', async () => {
  const { client, page } = setUp();
  client.on('GET /_sampan/grants', refusal('No.'));
  await page.load();
  expect(page.runner.value).toEqual(settings);
  expect(page.kept.value?.count).toBe(128);
  expect(page.engines.value).toEqual({ 'llama.cpp': 'Running: b1' });
  expect(page.grants.state).toMatchObject({ status: 'failed', error: { message: 'No.' } });
});

it('keeps what was read last while it cannot be read again', async () => {
  const { client, page } = setUp();
  await page.load();
  client.on('GET /_sampan/settings', refusal('Gone.'));
  await page.load();
  expect(page.runner.value).toEqual(settings);
});

it('saves only what was changed, and shows what the runner made of it', async () => {
  const { client, page } = setUp();
  await page.load();
  expect(await page.change({ context_size: 8192 })).toBe(true);
  expect(client.sent.at(-1)).toMatchObject({ method: 'PUT', body: { context_size: 8192 } });
  expect(page.runner.value?.context_size).toBe(8192);
  expect(page.saves.of('context_size')).toEqual({ status: 'saved' });
});

it('passes on what the runner says of a change', async () => {
  const { client, page, toasts } = setUp();
  client.on('PUT /_sampan/settings', json({ ...settings, compute: 'wasm', note: 'From the next load on.' }));
  await page.change({ compute: 'wasm' });
  expect(toasts.list[0]?.text).toBe('From the next load on.');
  expect(page.runner.value).toEqual({ ...settings, compute: 'wasm' });
});

it('tells at the setting why it was not taken, and what holds stays', async () => {
  const { client, page } = setUp();
  await page.load();
  client.on('PUT /_sampan/settings', refusal('This machine has no GPU.'));
  expect(await page.change({ compute: 'webgpu' })).toBe(false);
  expect(page.saves.of('compute')).toEqual({ status: 'failed', message: 'This machine has no GPU.' });
  expect(page.runner.value?.compute).toBe('auto');
});

it('saves in the order of the changes, and of two of one setting the newer has the word', async () => {
  const saves = new Saves();
  const order: string[] = [];
  let fail: (reason: Error) => void = () => undefined;
  const held = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const slow = saves.run('a', () => {
    order.push('slow');
    return held;
  });
  const fast = saves.run('a', () => {
    order.push('fast');
    return Promise.resolve();
  });
  fail(new Error('late'));
  expect(await slow).toBe(false);
  expect(await fast).toBe(true);
  expect(order).toEqual(['slow', 'fast']);
  expect(saves.of('a')).toEqual({ status: 'saved' });
});

it('a refused word stands although an older save ends later', async () => {
  const saves = new Saves();
  const saving = saves.run('a', () => Promise.resolve());
  saves.refuse('a', 'Not a number.');
  await saving;
  expect(saves.of('a')).toEqual({ status: 'failed', message: 'Not a number.' });
});

it('counts the records again after a change of their limits and after clearing them', async () => {
  const { client, page } = setUp();
  await page.load();
  client.on('GET /_sampan/requests?limit=1', json({ kept: { count: 10, bytes: 9 } }));
  await page.changeRecording({ max_count: 10 });
  expect(page.kept.value?.count).toBe(10);
  client
    .on('DELETE /_sampan/requests', json({ removed: 10 }))
    .on('GET /_sampan/requests?limit=1', json({ kept: { count: 0, bytes: 0 } }));
  await page.clearRequests();
  expect(page.kept.value?.count).toBe(0);
});

it('revokes at once, and offers the way back with the same scope', async () => {
  const { client, page, toasts } = setUp();
  await page.load();
  const route = `/_sampan/grants?origin=${encodeURIComponent(grant.origin)}`;
  client.on(`DELETE ${route}`, () => new Response(null, { status: 204 })).on('GET /_sampan/grants', json([]));
  await page.grants.revoke(grant);
  expect(page.grants.state).toEqual({ status: 'ready', value: [] });
  client.on('PUT /_sampan/grants', json(grant)).on('GET /_sampan/grants', json([grant]));
  toasts.list[0]?.action?.run();
  await expect.poll(() => page.grants.state).toEqual({ status: 'ready', value: [grant] });
  const { origin, decision, models } = grant;
  expect(client.sent.find(({ method }) => method === 'PUT')?.body).toEqual({ origin, decision, models });
});

it('hands on what is wrong with an origin', async () => {
  const { client, page } = setUp();
  client.on('PUT /_sampan/grants', refusal('“x” is no origin.'));
  const wish = { origin: 'x', decision: 'always', models: 'all' } as const;
  await expect(page.grants.keep(wish)).rejects.toMatchObject({ message: '“x” is no origin.' });
});

it('asks the browser to keep the models, and says so when it declines', async () => {
  const { page, persistStorage } = setUp();
  persistStorage.mockResolvedValueOnce(false);
  await page.keepStorage();
  expect(page.granted).toBe(false);
  expect(page.saves.of('persisted')).toMatchObject({ status: 'failed' });
  await page.keepStorage();
  expect(page.granted).toBe(true);
});

it('copies the base URL', async () => {
  const { page, writeText, toasts } = setUp();
  page.copyBaseUrl();
  await expect.poll(() => toasts.list.length).toBe(1);
  expect(writeText).toHaveBeenCalledExactlyOnceWith('http://localhost:12434/engines/v1');
});
