import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ManualClock } from '#lib/core/clock.ts';
import { Catalog } from '#lib/state/catalog.svelte.ts';
import { LiveFeed } from '#lib/state/feed.svelte.ts';
import { Models } from '#lib/state/models.svelte.ts';
import { Pulls } from '#lib/state/pulls.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from '#lib/state/testing/scripted-client.ts';
import { Toasts } from '#lib/state/toasts.svelte.ts';
import MlcSection from './MlcSection.svelte';

function record(name: string, changes: object = {}) {
  return {
    model_id: `${name}-MLC`,
    repository: `mlc-ai/${name}-MLC`,
    library: 'https://example.com/a.wasm',
    kind: 'llm',
    context_size: 4096,
    vram_bytes: 900_000_000,
    required_features: [],
    low_resource: true,
    ...changes,
  };
}

const records = [
  record('Qwen3-0.6B-q4f16_1'),
  record('Qwen3-0.6B-q4f32_1', { vram_bytes: 1_400_000_000 }),
  record('Mistral-7B-q4f16_1', { low_resource: false }),
  record('arctic-embed-q0f32', { variant: 'b4', kind: 'embedding', context_size: undefined }),
];

async function setUp(gpu: { name: string; f16: boolean } | null) {
  const clock = new ManualClock();
  const stream = new ScriptedStream();
  const client = new ScriptedClient()
    .on('GET /_sampan/events', () => stream.response)
    .on('POST /_sampan/pulls', json({}));
  const feed = new LiveFeed({ client, clock, onLost: () => undefined });
  const catalog = new Catalog({
    fetch: () => Promise.resolve(json({ models: records })),
    appHost: 'localhost',
  });
  const models = new Models({ client, feed, catalog });
  const app = { catalog, feed, models, pulls: new Pulls({ client, feed }), toasts: new Toasts({ clock }) };
  feed.start();
  stream.event('status', { gpu });
  catalog.source = 'WebLLM';
  await render(MlcSection, { app });
  return client;
}

const card = (name: string) => page.getByRole('listitem').filter({ hasText: name });
const choice = () => page.getByRole('combobox', { name: 'Variant of Qwen3 0.6B' });

it('makes one card of the variants of a model, and pulls the one that is chosen', async () => {
  const client = await setUp({ name: 'Some GPU', f16: true });
  await expect.element(choice()).toHaveValue('hf.co/mlc-ai/Qwen3-0.6B-q4f16_1-MLC');
  await choice().selectOptions('hf.co/mlc-ai/Qwen3-0.6B-q4f32_1-MLC');
  await page.getByRole('button', { name: 'Pull Qwen3 0.6B, 1.40 GB' }).click();
  expect(client.sent.at(-1)).toMatchObject({
    path: '/_sampan/pulls',
    body: { from: 'hf.co/mlc-ai/Qwen3-0.6B-q4f32_1-MLC' },
  });
  await expect.element(card('arctic')).toHaveTextContent('Embeddings');
});

it('offers what a GPU without 16-bit shaders runs, and says so where there is nothing', async () => {
  await setUp({ name: 'Some GPU', f16: false });
  await expect.element(choice()).toHaveValue('hf.co/mlc-ai/Qwen3-0.6B-q4f32_1-MLC');
  await choice().selectOptions('hf.co/mlc-ai/Qwen3-0.6B-q4f16_1-MLC');
  await expect
    .element(card('Qwen3'))
    .toHaveTextContent('This GPU has no 16-bit shaders, which q4f16_1 needs. Take q4f32_1');
  await page.getByRole('button', { name: 'Take q4f32_1' }).click();
  await expect.element(choice()).toHaveValue('hf.co/mlc-ai/Qwen3-0.6B-q4f32_1-MLC');
  await expect.element(card('Mistral')).toHaveTextContent('There is no variant of this model without them.');
});

it('says once that nothing of it runs without a GPU', async () => {
  await setUp(null);
  await expect.element(page.getByText(/WebLLM runs on the GPU only/)).toBeVisible();
  await expect.element(card('Qwen3')).not.toHaveTextContent('This GPU has no');
});

it('shows all variants side by side, and what each needs', async () => {
  await setUp({ name: 'Some GPU', f16: false });
  await page.getByRole('button', { name: 'Qwen3 0.6B', exact: true }).click();
  const drawer = page.getByRole('dialog', { name: 'Qwen3 0.6B' });
  await expect
    .element(drawer.getByRole('row', { name: /q4f16_1/ }))
    .toHaveTextContent(/900 MB\s*4,096\s*Needs 16-bit shaders/);
  await expect.element(drawer.getByRole('radio', { name: 'q4f32_1 Best pick' })).toBeChecked();
  await drawer.getByRole('radio', { name: 'q4f16_1' }).click();
  await expect.element(drawer.getByRole('button', { name: 'Pull q4f16_1' })).toBeEnabled();
});
