import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { GrantJson } from '#lib/model/wire-access.ts';
import type { SettingsJson, StatusJson } from '#lib/model/wire.ts';
import { App } from '#lib/state/app.svelte.ts';
import { MemoryConversationStore } from '#lib/state/conversation-store.ts';
import { SettingsPage } from '#lib/state/settings-page.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from '#lib/state/testing/scripted-client.ts';
import { modelSample } from '#lib/state/testing/wire-samples.ts';
import Page from './SettingsPage.svelte';

const status: StatusJson = {
  version: '0.1.0',
  isolated: true,
  threads: 2,
  gpu: null,
  compute: {
    rung: 'wasm-threads',
    reason: 'there is no GPU',
    pinned: false,
    rungs: [
      { rung: 'webgpu-f16', available: false, reason: 'there is no GPU' },
      { rung: 'webgpu', available: false, reason: 'there is no GPU' },
      { rung: 'wasm-threads', available: true },
      { rung: 'wasm', available: true },
    ],
    wasm_build: 'relaxed SIMD',
    wasm_builds: [
      { build: 'relaxed', available: true },
      { build: 'simd', available: true },
      { build: 'package', available: true },
    ],
  },
  storage: { used_bytes: 1_000_000_000, quota_bytes: 10_000_000_000, persisted: false },
  relay: true,
};
const settings: SettingsJson = {
  parallel_pulls: 2,
  context_size: 5000,
  keep_alive: '5m0s',
  memory_limit_bytes: null,
  compute: 'auto',
  cpu_build: 'auto',
};
const recording = { recording: true, max_count: 10_000, max_bytes: 256 * 1024 * 1024 };
const grants: readonly GrantJson[] = [
  { origin: 'http://localhost:*', decision: 'always', models: 'all', created_ms: 0, requests: 0 },
  { origin: 'https://bad.example', decision: 'never', models: 'all', created_ms: 0, requests: 0 },
];

let stop: () => void;
let client: ScriptedClient;
let app: App;
let desk: SettingsPage;
let stream: ScriptedStream;
const erase = vi.fn(() => Promise.resolve());
const persistStorage = vi.fn(() => Promise.resolve(true));

beforeEach(() => {
  vi.clearAllMocks();
  stream = new ScriptedStream();
  client = new ScriptedClient()
    .on('GET /_sampan/events', () => stream.response)
    .on('GET /_sampan/settings', json(settings))
    .on('PUT /_sampan/settings', ({ body }) => json({ ...settings, ...(body as object) }))
    .on('GET /_sampan/requests/settings', json(recording))
    .on('PUT /_sampan/requests/settings', ({ body }) => json({ ...recording, ...(body as object) }))
    .on('GET /_sampan/requests?limit=1', json({ kept: { count: 128, bytes: 540_000 } }))
    .on('GET /engines/status', json({ 'llama.cpp': 'Running: b12211 (CPU, 2 threads)' }))
    .on('GET /_sampan/grants', json(grants));
  app = new App({
    client,
    host: {
      state: { kind: 'hosting' },
      subscribe: () => () => undefined,
      restart: () => undefined,
      takeOver: () => Promise.resolve(false),
    },
    clock: new ManualClock(),
    frames: { next: (callback) => queueMicrotask(callback) },
    conversations: new MemoryConversationStore(),
    fetch: () => Promise.resolve(json([])),
    appHost: 'localhost',
    themeStorage: sessionStorage,
    root: document.createElement('div'),
    persistStorage,
  });
  stop = app.start();
  desk = new SettingsPage({
    client,
    runner: app.settings,
    toasts: app.toasts,
    clipboard: { writeText: () => Promise.resolve() },
    origin: 'http://localhost:12434',
    persistStorage,
    erase,
  });
});

afterEach(() => stop());

async function open() {
  stream.event('status', status);
  stream.event('models', [modelSample(1, 'docker.io/ai/smollm2:latest')]);
  await render(Page, { app, desk });
  await expect.element(page.getByRole('combobox', { name: 'Default context size' })).toBeVisible();
}

const lastPut = () => client.sent.findLast(({ method }) => method === 'PUT');
const button = (name: string) => page.getByRole('button', { name, exact: true });
const section = (name: string) => page.getByRole('region', { name, exact: true });

it('shows what is set, in its own words', async () => {
  await open();
  await expect.element(page.getByRole('combobox', { name: 'Default context size' })).toHaveValue('5000');
  await expect.element(page.getByRole('combobox', { name: 'Unload when idle' })).toHaveValue('5m');
  const compute = page.getByRole('combobox', { name: 'Compute with' });
  await expect.element(compute).toHaveValue('auto');
  await expect.element(compute).toHaveAccessibleDescription(/CPU, several threads, because there is no GPU/);
  await expect.element(page.getByRole('option', { name: 'GPU, 16-bit (not here)' })).toBeDisabled();
  await expect.element(section('Engine')).toHaveTextContent('GPU, 16-bit: there is no GPU.');
  await expect.element(section('Registries')).toHaveTextContent('Relay');
  await expect
    .element(section('Storage'))
    .toHaveTextContent('1 model, 0 conversations, 128 requests. 1.00 GB.');
  await expect.element(section('About')).toHaveTextContent('b12211 (CPU, 2 threads)');
  await expect.element(section('API')).toHaveTextContent('http://localhost:12434/engines/v1');
});

it('saves a choice at once and says so at its setting', async () => {
  await open();
  await page.getByRole('combobox', { name: 'Unload when idle' }).selectOptions('-1');
  await expect.element(section('Engine')).toHaveTextContent('Saved');
  expect(lastPut()?.body).toEqual({ keep_alive: '-1' });
  await page.getByRole('combobox', { name: 'Default context size' }).selectOptions('');
  await expect.poll(() => lastPut()?.body).toEqual({ context_size: null });
  await page.getByRole('combobox', { name: 'llama.cpp on the CPU' }).selectOptions('simd');
  await expect.poll(() => lastPut()?.body).toEqual({ cpu_build: 'simd' });
});

it('goes back to what holds when the runner refuses, and says why', async () => {
  await open();
  const refusal = { error: { code: 'invalid_request', message: 'One thread is too slow.', param: null } };
  client.on('PUT /_sampan/settings', json(refusal, 400));
  const compute = page.getByRole('combobox', { name: 'Compute with' });
  await compute.selectOptions('wasm');
  await expect.element(page.getByRole('alert')).toHaveTextContent('One thread is too slow.');
  await expect.element(compute).toHaveValue('auto');
  await expect.element(compute).toHaveAccessibleDescription(/One thread is too slow/);
});

it('takes a memory limit in gigabytes, and says at the field what it cannot read', async () => {
  await open();
  const limit = page.getByRole('textbox', { name: 'Memory limit' });
  await limit.fill('lots');
  await userEvent.keyboard('{Tab}');
  await expect.element(page.getByRole('alert')).toHaveTextContent('Type gigabytes');
  await limit.fill('2.5');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => lastPut()?.body).toEqual({ memory_limit_bytes: 2_500_000_000 });
  await expect.element(page.getByRole('alert')).not.toBeInTheDocument();
});

it('allows, blocks and revokes sites', async () => {
  await open();
  const row = (name: string) => page.getByRole('row', { name });
  await expect.element(row('https://bad.example')).toHaveTextContent('Blocked');
  await expect.element(row('http://localhost:*')).toHaveTextContent('All models');
  await button('Allow').click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('Type the address');
  const field = page.getByRole('textbox', { name: 'Site to allow or block' });
  client.on('PUT /_sampan/grants', ({ body }) => json(body));
  await field.fill('https://app.example');
  await userEvent.keyboard('{Enter}');
  await expect.element(field).toHaveValue('');
  expect(lastPut()?.body).toEqual({ origin: 'https://app.example', decision: 'always', models: 'all' });
  await field.fill('https://evil.example');
  await button('Block').click();
  await expect.element(field).toHaveValue('');
  expect(lastPut()?.body).toMatchObject({ decision: 'never' });

  const [allowed] = grants;
  client
    .on('DELETE /_sampan/grants?origin=https%3A%2F%2Fbad.example', () => new Response(null, { status: 204 }))
    .on('GET /_sampan/grants', json([allowed]));
  await button('Unblock https://bad.example').click();
  await expect.element(row('https://bad.example')).not.toBeInTheDocument();
  expect(app.toasts.list[0]?.action?.label).toBe('Undo');
});

it('switches recording and its limits, and clears the history after a question', async () => {
  await open();
  const recorded = page.getByRole('switch', { name: 'Keep request history' });
  await recorded.click();
  await expect.element(recorded).not.toBeChecked();
  expect(lastPut()?.body).toEqual({ recording: false });
  await page.getByRole('textbox', { name: 'Most storage for them' }).fill('64');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => lastPut()?.body).toEqual({ max_bytes: 64 * 1024 * 1024 });
  await page.getByRole('textbox', { name: 'Most requests' }).fill('0');
  await userEvent.keyboard('{Enter}');
  await expect.element(page.getByRole('alert')).toHaveTextContent('from 1 to 100,000');
  client.on('DELETE /_sampan/requests', json({ removed: 128 }));
  await button('Clear…').click();
  await button('Clear').click();
  await expect.element(page.getByRole('alertdialog')).not.toBeInTheDocument();
  expect(client.sent.some(({ method }) => method === 'DELETE')).toBe(true);
});

it('asks the browser to keep the models, and shows that it does', async () => {
  persistStorage.mockResolvedValueOnce(false);
  await open();
  await button('Keep models').click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('The browser declined.');
  await button('Keep models').click();
  await expect.element(section('Storage')).toHaveTextContent('Kept');
});

it('deletes everything only after the word was typed, and stays open when it could not', async () => {
  erase.mockRejectedValueOnce(new ApiError('conflict', 'Close the other tabs.'));
  await open();
  await button('Delete all…').click();
  await expect.element(button('Delete all')).toBeDisabled();
  await page.getByRole('textbox', { name: /confirm/ }).fill('delete');
  await button('Delete all').click();
  await expect.element(page.getByRole('alertdialog')).toHaveTextContent('Close the other tabs.');
  await button('Delete all').click();
  expect(erase).toHaveBeenCalledTimes(2);
});

it('says what does not answer, keeps what needs no engine, and comes back with a new try', async () => {
  const away = { error: { code: 'no_host', message: 'No tab runs the engine.', param: null } };
  client.on('GET /_sampan/settings', json(away, 503));
  await render(Page, { app, desk });
  await expect.element(section('Engine')).toHaveTextContent('No tab runs the engine.');
  await expect.element(page.getByRole('group', { name: 'Theme' })).toBeVisible();
  await expect.element(button('Delete all…')).toBeEnabled();
  client.on('GET /_sampan/settings', json(settings));
  await section('Engine').getByRole('button', { name: 'Try again' }).click();
  await expect.element(page.getByRole('combobox', { name: 'Default context size' })).toBeVisible();
});
