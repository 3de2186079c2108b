import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import type { FileJson } from '#lib/model/wire.ts';
import { detailSample, digestOf, modelSample } from '#lib/state/testing/wire-samples.ts';
import FilesPanel from './FilesPanel.svelte';
import MetadataPanel from './MetadataPanel.svelte';
import OverviewPanel from './OverviewPanel.svelte';
import StorageCard from './StorageCard.svelte';
import TabList from './TabList.svelte';
import TemplatePanel from './TemplatePanel.svelte';
import { deskSample, localSample } from './testing/model-samples.ts';

const row = (n: number) => page.getByRole('row').nth(n);

it('lists files with their state and who shares them', async () => {
  const file: FileJson = {
    path: 'weights/model.gguf',
    role: 'weights',
    media_type: 'application/vnd.docker.ai.gguf.v3',
    digest: digestOf(7),
    size_bytes: 1_110_000_000,
    stored: true,
    shared_with: ['docker.io/local/mine:latest'],
  };
  const onCopy = vi.fn();
  await render(FilesPanel, {
    files: [file, { ...file, path: 'LICENSE', stored: false, shared_with: [] }],
    onCopy,
  });
  await expect.element(row(1)).toHaveTextContent('Stored, shared with local/mine');
  await expect.element(row(1)).toHaveTextContent('1.11 GB');
  await expect.element(row(2)).toHaveTextContent('Missing');
  await page.getByRole('button').first().click();
  expect(onCopy).toHaveBeenCalledExactlyOnceWith(digestOf(7));
});

const entries = [
  { key: 'general.architecture', type: 'string', value: 'qwen3' },
  { key: 'tokenizer.ggml.tokens', type: 'array of string', value: '["!", "\\""', count: 151_936 },
];

it('searches keys and values of the metadata, and clears with Esc', async () => {
  const onLoad = vi.fn();
  const metadata = { status: 'ready', value: { entries } } as const;
  await render(MetadataPanel, { metadata, onLoad, onCopy: vi.fn() });
  expect(onLoad).not.toHaveBeenCalled();
  await expect.element(page.getByText('array of string, 151,936')).toBeVisible();
  const search = page.getByRole('searchbox');
  await search.fill('QWEN');
  await expect.element(page.getByText('1 of 2')).toBeVisible();
  await search.fill('nothing like it');
  await expect.element(page.getByText('No key matches')).toBeVisible();
  await userEvent.keyboard('{Escape}');
  await expect.element(page.getByText('2 of 2')).toBeVisible();
});

it('reads the metadata when it is shown, and again when that failed', async () => {
  const onLoad = vi.fn();
  const error = new ApiError('model_not_found', 'The file is missing.');
  await render(MetadataPanel, { metadata: { status: 'failed', error }, onLoad, onCopy: vi.fn() });
  expect(onLoad).toHaveBeenCalledOnce();
  await expect.element(page.getByRole('alert')).toHaveTextContent('The file is missing.');
  await page.getByRole('button', { name: 'Try again' }).click();
  expect(onLoad).toHaveBeenCalledTimes(2);
});

it('tells where the template comes from and copies it', async () => {
  const onCopy = vi.fn();
  await render(TemplatePanel, { template: { text: '{{ messages }}', from: 'gguf' }, onCopy });
  await expect.element(page.getByText('From the GGUF file.')).toBeVisible();
  await page.getByRole('button', { name: 'Copy Chat template' }).click();
  expect(onCopy).toHaveBeenCalledExactlyOnceWith('{{ messages }}');
});

it('says that there is no template', async () => {
  await render(TemplatePanel, { template: undefined, onCopy: vi.fn() });
  await expect.element(page.getByRole('heading')).toHaveTextContent('This model has no chat template');
});

it('tells what a model is, why it cannot run and what is left aside', async () => {
  const tags = ['docker.io/ai/smollm2:latest', 'docker.io/local/mine:latest'];
  const { client, desk } = deskSample();
  const value = detailSample({
    model: { ...modelSample(1, ...tags), obstacle: 'It has no GGUF file.' },
    packaging: 'CNCF ModelPack',
    notes: ['A LoRA adapter is left aside.'],
  });
  await render(OverviewPanel, { value, model: localSample({ tags }), desk, nowMs: 0 });
  for (const text of ['CNCF ModelPack', 'It has no GGUF file.', 'A LoRA adapter is left aside.']) {
    await expect.element(page.getByText(text)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Remove tag local/mine' }).click();
  expect(client.sent.at(-1)).toMatchObject({ method: 'DELETE', path: '/models/local/mine' });
});

it('shows how the disk is used and how to get some of it back', async () => {
  const onPrune = vi.fn();
  const onPurge = vi.fn();
  const storage = { used_bytes: 3_490_000_000, quota_bytes: 20_700_000_000, persisted: true };
  await render(StorageCard, {
    storage,
    models: [localSample()],
    pullBytes: 312_000_000,
    onPrune,
    onPurge,
  });
  await expect
    .element(page.getByRole('meter', { name: 'Disk use' }))
    .toHaveAttribute('aria-valuetext', '3.49 GB used of 20.7 GB');
  await expect.element(page.getByText('Pulls 312 MB')).toBeVisible();
  await page.getByRole('button', { name: 'Clean up' }).click();
  await page.getByRole('button', { name: 'Delete all…' }).click();
  expect([onPrune.mock.calls.length, onPurge.mock.calls.length]).toEqual([1, 1]);
});

it('moves over tabs with arrows, Home and End', async () => {
  const onSelect = vi.fn();
  const tabs = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
    { key: 'c', label: 'C' },
  ];
  await render(TabList, { id: 't', label: 'Tabs', tabs, current: 'a', onSelect });
  await page.getByRole('tab', { name: 'A' }).click();
  await userEvent.keyboard('{ArrowLeft}');
  await expect.element(page.getByRole('tab', { name: 'C' })).toHaveFocus();
  await userEvent.keyboard('{ArrowRight}{End}{Home}');
  expect(onSelect.mock.calls.flat()).toEqual(['a', 'c', 'b', 'c', 'a']);
});
