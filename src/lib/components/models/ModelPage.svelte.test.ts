import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ManualClock } from '#lib/core/clock.ts';
import { App } from '#lib/state/app.svelte.ts';
import { MemoryConversationStore } from '#lib/state/conversation-store.ts';
import { json, ScriptedClient, ScriptedStream } from '#lib/state/testing/scripted-client.ts';
import { detailSample, modelSample } from '#lib/state/testing/wire-samples.ts';
import ModelPage from './ModelPage.svelte';
import ModelsPage from './ModelsPage.svelte';

const reference = 'docker.io/ai/smollm2:latest';
const detailPath = `GET /_sampan/models/${reference}`;

function makeApp() {
  const stream = new ScriptedStream();
  const client = new ScriptedClient()
    .on('GET /_sampan/events', () => stream.response)
    .on(detailPath, json(detailSample({ chat_template: { text: '{{ messages }}', from: 'artifact' } })));
  const app = new App({
    client,
    host: {
      state: { kind: 'starting' },
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
    persistStorage: () => Promise.resolve(true),
  });
  const stop = app.start();
  return { app, client, stop, stream };
}

it('shows the tab of the address, and asks again when the model changes', async () => {
  const { app, client, stop, stream } = makeApp();
  stream.event('models', [modelSample(1, reference)]);
  await render(ModelPage, { app, reference, tab: 'template', onTab: vi.fn(), open: vi.fn() });
  await expect.element(page.getByRole('tabpanel', { name: 'Template' })).toHaveTextContent('{{ messages }}');
  await expect.element(page.getByRole('heading', { level: 1 })).toHaveTextContent('smollm2');
  const asked = () => client.sent.filter(({ method, path }) => `${method} ${path}` === detailPath).length;
  const before = asked();
  stream.event('models', [modelSample(1, reference, 'docker.io/local/mine:latest')]);
  await expect.poll(asked).toBe(before + 1);
  stop();
});

it('says that a model is not here', async () => {
  const { app, client, stop } = makeApp();
  const error = { message: 'Gone.', type: 'invalid_request_error', param: null, code: 'model_not_found' };
  client.on(detailPath, json({ error }, 404));
  await render(ModelPage, { app, reference, tab: 'overview', onTab: vi.fn(), open: vi.fn() });
  await expect
    .element(page.getByRole('heading', { level: 2 }))
    .toHaveTextContent('This model is not in this browser');
  stop();
});

function drop(...files: readonly File[]) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
  document.dispatchEvent(new DragEvent('dragenter', event));
  return () => document.dispatchEvent(new DragEvent('drop', event));
}

it('takes dropped files: a tar is loaded, GGUF files are packaged, others are refused', async () => {
  const { app, client, stop, stream } = makeApp();
  stream.event('models', []);
  await render(ModelsPage, { app, open: vi.fn() });
  const success = { type: 'success', message: '', total: 0, layer: { size: 0, current: 0 }, mode: 'pull' };
  client.on('POST /models/load', new Response(JSON.stringify(success)));
  const letGo = drop(new File(['tar'], 'model.tar'));
  await expect.element(page.getByText(/Drop a \.tar/)).toBeVisible();
  letGo();
  await expect.element(page.getByRole('region', { name: 'Tasks' })).toHaveTextContent('model.tar is loaded.');
  expect(app.toasts.list).toMatchObject([{ text: 'model.tar is loaded.' }]);

  drop(new File(['x'], 'notes.txt'))();
  await expect.poll(() => app.toasts.list.at(-1)?.tone).toBe('bad');

  drop(new File(['x'], 'Tiny-Q8_0.gguf'))();
  await expect
    .element(page.getByRole('textbox', { name: 'Name of the new model' }))
    .toHaveValue('local/tiny:Q8_0');
  stop();
});

it('leads from an empty browser to the catalog and to a file', async () => {
  const { app, stop, stream } = makeApp();
  stream.event('models', []);
  await render(ModelsPage, { app, open: vi.fn() });
  await expect.element(page.getByRole('link', { name: 'Open the catalog' })).toBeVisible();
  await expect.element(page.getByRole('button', { name: 'Import file…' }).first()).toBeVisible();
  stop();
});
