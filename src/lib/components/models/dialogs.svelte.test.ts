import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import { Tasks, type Work } from '#lib/state/tasks.svelte.ts';
import ExportDialog from './ExportDialog.svelte';
import PurgeDialog from './PurgeDialog.svelte';
import PushDialog from './PushDialog.svelte';
import TagDialog from './TagDialog.svelte';
import { localSample } from './testing/model-samples.ts';

const model = localSample();
const button = (name: string) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');

it('tags with Enter, and says at the field what is wrong with a name', async () => {
  const onTag = vi.fn(() => Promise.reject(new ApiError('invalid_reference', '“a b” has a space in it.')));
  await render(TagDialog, { model, onTag, onClose: vi.fn() });
  await expect.element(page.getByRole('textbox', { name: 'New name' })).toHaveFocus();
  await userEvent.keyboard('a b{Enter}');
  expect(onTag).toHaveBeenCalledExactlyOnceWith('a b');
  const field = page.getByRole('textbox', { name: 'New name' });
  await expect.element(field).toHaveAccessibleDescription(/has a space in it/);
  await expect.element(field).toHaveAttribute('aria-invalid', 'true');
});

it('deletes everything only after the count was typed', async () => {
  const onPurge = vi.fn(() => Promise.resolve());
  await render(PurgeDialog, {
    models: [model, localSample()],
    usedBytes: 3_490_000_000,
    onPurge,
    onClose: vi.fn(),
  });
  const purge = page.getByRole('alertdialog', { name: 'Delete all 2 models?' });
  await expect.element(purge).toHaveTextContent('frees up to 3.49 GB and cannot be undone');
  await expect.element(button('Delete all')).toBeDisabled();
  await page.getByRole('textbox').fill('2');
  await button('Delete all').click();
  expect(onPurge).toHaveBeenCalledOnce();
});

it('stays open when not everything could be deleted', async () => {
  const onPurge = () => Promise.reject(new ApiError('conflict', 'A model is answering. Stop it first.'));
  await render(PurgeDialog, { models: [model], usedBytes: 1, onPurge, onClose: vi.fn() });
  await page.getByRole('textbox').fill('1');
  await button('Delete all').click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('A model is answering.');
});

it('exports by a link that leaves this page alone, and says how large the tar is', async () => {
  await render(ExportDialog, { model, onClose: vi.fn() });
  const link = page.getByRole('link', { name: 'Download 271 MB' });
  await expect.element(link).toHaveAttribute('href', '/models/ai/smollm2/export');
  await expect.element(link).toHaveAttribute('target', '_blank');
  await expect.element(link).not.toHaveAttribute('download');
});

async function push(work: Work) {
  const tasks = new Tasks({ onEnd: vi.fn() });
  const onPush = vi.fn(() => Promise.resolve(tasks.start({ kind: 'push', title: 'ai/smollm2', work })));
  const onClose = vi.fn();
  await render(PushDialog, { model, onPush, onClose });
  await button('Push').click();
  return { onClose, onPush, tasks };
}

it('pushes under the name it has, shows how it goes, and cancels', async () => {
  const { onPush, tasks } = await push(async function* ({ signal }) {
    yield { doneBytes: 100_000_000, totalBytes: 200_000_000, text: 'Sending' };
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return '';
  });
  expect(onPush).toHaveBeenCalledExactlyOnceWith('ai/smollm2');
  await expect.element(dialog()).toHaveTextContent('50 %');
  await expect.element(dialog()).toHaveTextContent('100 of 200 MB');
  await expect.element(dialog()).toHaveTextContent('It goes on when this is closed.');
  await button('Cancel: Push of ai/smollm2').click();
  await expect.element(dialog()).toHaveTextContent('Cancelled');
  expect(tasks.running).toEqual([]);
});

it('asks for credentials in place, uses them once and forgets them', async () => {
  const seen: unknown[] = [];
  await push(async function* ({ credentials }) {
    seen.push(credentials);
    yield { doneBytes: 0, totalBytes: 0, text: 'Asking the registry' };
    if (credentials) return 'ai/smollm2 is pushed.';
    throw new ApiError('unauthorized', 'registry.example.com asks for a sign-in.');
  });
  await expect.element(dialog()).toHaveTextContent('registry.example.com asks for a sign-in.');
  await expect.element(dialog()).toHaveTextContent('Used for this push only, never stored.');
  await page.getByRole('textbox', { name: 'User name' }).fill('ada');
  await page.getByLabelText('Password or token').fill('secret');
  await button('Sign in and push').click();
  await expect.element(dialog()).toHaveTextContent('ai/smollm2 is pushed.');
  expect(seen).toEqual([undefined, { username: 'ada', password: 'secret' }]);
});

it('says at the field why a name cannot be pushed', async () => {
  const onPush = () => Promise.reject(new ApiError('invalid_reference', 'Use a tag such as “:v1”.'));
  await render(PushDialog, { model, onPush, onClose: vi.fn() });
  await button('Push').click();
  await expect
    .element(page.getByRole('combobox', { name: 'Name in the registry' }))
    .toHaveAccessibleDescription(/Use a tag/);
});
