import { afterEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import DeleteDialog from './DeleteDialog.svelte';
import { localSample } from './testing/model-samples.ts';

const model = localSample();
const twoNames = { ...model, tags: [...model.tags, 'docker.io/local/mine:latest'] };

async function setUp(changes: Partial<{ model: LocalModel; onDelete: () => Promise<void> }> = {}) {
  const onDelete = vi.fn(() => Promise.resolve());
  const onClose = vi.fn();
  const { unmount } = await render(DeleteDialog, { model, onDelete, onClose, ...changes });
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

it('does not count as freed what another model uses', async () => {
  await setUp({ model: localSample({ sharedBytes: 270_000_000 }) });
  await expect
    .element(page.getByRole('alertdialog'))
    .toHaveTextContent('Frees 1.00 MB. 270 MB stay: another model uses them.');
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
