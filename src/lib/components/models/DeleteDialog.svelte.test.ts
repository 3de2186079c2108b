import { afterEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import { digestOf } from '#lib/state/testing/wire-samples.ts';
import DeleteDialog from './DeleteDialog.svelte';

const model: LocalModel = {
  id: digestOf(1),
  reference: 'docker.io/ai/smollm2:latest',
  tags: ['docker.io/ai/smollm2:latest'],
  title: 'SmolLM2',
  parameters: '360M',
  quantization: 'Q4_K_M',
  contextSize: 8192,
  sizeBytes: 271_000_000,
  createdMs: 0,
  runner: undefined,
};
const twoNames = { ...model, tags: [...model.tags, 'docker.io/local/mine:latest'] };

async function setUp(
  changes: Partial<{ model: LocalModel; shared: boolean; onDelete: () => Promise<void> }> = {},
) {
  const onDelete = vi.fn(() => Promise.resolve());
  const onClose = vi.fn();
  const { unmount } = await render(DeleteDialog, { model, shared: false, onDelete, onClose, ...changes });
  return { onDelete, onClose, unmount };
}

const opener = document.createElement('button');
afterEach(() => opener.remove());

it('names the model and the bytes it frees', async () => {
  await setUp();
  const dialog = page.getByRole('alertdialog', { name: 'Delete SmolLM2?' });
  await expect.element(dialog).toBeVisible();
  await expect.element(dialog).toHaveTextContent('Frees 271 MB in this browser.');
});

it('says "up to" where weights may be shared', async () => {
  await setUp({ shared: true });
  await expect.element(page.getByRole('alertdialog')).toHaveTextContent('Frees up to 271 MB');
});

it('has the focus on Cancel, closes on Esc and gives the focus back', async () => {
  document.body.append(opener);
  opener.focus();
  const { onClose, onDelete, unmount } = await setUp();
  await expect.element(page.getByRole('button', { name: 'Cancel' })).toHaveFocus();
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => onClose.mock.calls.length).toBe(1);
  expect(onDelete).not.toHaveBeenCalled();
  await unmount();
  expect(document.activeElement).toBe(opener);
});

it('deletes every name by default', async () => {
  const { onDelete } = await setUp({ model: twoNames });
  await page.getByRole('button', { name: 'Delete' }).click();
  expect(onDelete).toHaveBeenLastCalledWith(undefined);
});

it('removes one of two names', async () => {
  const { onDelete } = await setUp({ model: twoNames });
  await page.getByRole('radio', { name: 'local/mine' }).last().click();
  await page.getByRole('button', { name: 'Remove tag' }).click();
  expect(onDelete).toHaveBeenLastCalledWith('docker.io/local/mine:latest');
});

it('stays open and says why when it could not be done', async () => {
  await setUp({
    onDelete: () => Promise.reject(new ApiError('conflict', 'The model is in use. Stop the answer first.')),
  });
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect
    .element(page.getByRole('alert'))
    .toHaveTextContent('The model is in use. Stop the answer first.');
  await expect.element(page.getByRole('button', { name: 'Delete' })).toBeEnabled();
});
