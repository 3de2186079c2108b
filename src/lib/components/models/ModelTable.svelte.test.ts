import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import { runnerSample } from '#lib/state/testing/wire-samples.ts';
import ModelTable from './ModelTable.svelte';
import { deskSample, localSample } from './testing/model-samples.ts';

async function setUp(changes: Partial<LocalModel> = {}) {
  const sample = deskSample();
  const open = vi.fn();
  const model = localSample(changes);
  await render(ModelTable, { models: [model], nowMs: 120_000, desk: sample.desk, open });
  return { ...sample, model, open };
}

const row = () => page.getByRole('row').nth(1);

async function choose(name: string) {
  await page.getByRole('button', { name: 'More for SmolLM2' }).click();
  await page.getByRole('menuitem', { name }).click();
}

it('shows size with what is shared, context in force and trained, and the last use', async () => {
  await setUp({
    sizeBytes: 1_200_000_000,
    sharedBytes: 900_000_000,
    lastUsedMs: 0,
    runner: runnerSample(1, { context_size: 4096 }),
  });
  await expect.element(row()).toHaveTextContent('1.20 GB, 900 MB shared');
  await expect.element(row()).toHaveTextContent('4,096 / 8,192');
  await expect.element(row()).toHaveTextContent('2 min ago');
  await expect.element(row()).toHaveTextContent('Loaded');
});

it('leads to the page and to the chat of the model', async () => {
  await setUp();
  const query = 'model=docker.io%2Fai%2Fsmollm2%3Alatest';
  await expect
    .element(page.getByRole('link', { name: 'SmolLM2', exact: true }))
    .toHaveAttribute('href', `/models?${query}`);
  await expect
    .element(page.getByRole('link', { name: 'Chat with SmolLM2' }))
    .toHaveAttribute('href', `/chat?${query}`);
});

it('says why a model cannot run, and offers no chat', async () => {
  await setUp({ obstacle: 'It has safetensors weights and no GGUF file.' });
  await expect.element(row()).toHaveTextContent('Cannot run here');
  await expect.element(row()).toHaveTextContent('It has safetensors weights and no GGUF file.');
  expect(page.getByRole('link', { name: /Chat/ }).elements()).toHaveLength(0);
});

it('repairs a damaged model', async () => {
  const { tasks } = await setUp({ missingFiles: 1 });
  await expect.element(row()).toHaveTextContent('1 file damaged');
  await page.getByRole('button', { name: 'Repair SmolLM2' }).click();
  expect(tasks.list).toMatchObject([{ kind: 'repair', title: 'SmolLM2' }]);
});

it('has every verb in its menu', async () => {
  await setUp();
  await page.getByRole('button', { name: 'More for SmolLM2' }).click();
  const labels = page
    .getByRole('menuitem')
    .elements()
    .map(({ textContent }) => textContent.trim());
  expect(labels).toEqual([
    'Chat',
    'Open',
    'Load now',
    'Tag…',
    'Push…',
    'Package…',
    'Export .tar…',
    'Verify and repair',
    'Copy reference',
    'Copy as curl',
    'Delete…',
  ]);
});

it.each([
  ['Tag…', 'tag'],
  ['Push…', 'push'],
  ['Package…', 'package'],
  ['Export .tar…', 'export'],
  ['Delete…', 'delete'],
])('opens the dialog of %s', async (label, kind) => {
  const { desk } = await setUp();
  await choose(label);
  expect(desk.dialog).toMatchObject({ kind });
});

it('loads what is not loaded and unloads what is', async () => {
  const { client } = await setUp();
  await choose('Load now');
  expect(client.sent.at(-1)?.path).toMatch(/\/load$/);
});

it('unloads what is loaded', async () => {
  const { client } = await setUp({ runner: runnerSample(1) });
  await choose('Unload');
  expect(client.sent.at(-1)).toMatchObject({
    path: '/engines/unload',
    body: { models: ['ai/smollm2:360M-Q4_K_M'] },
  });
});
