import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import PullField from './PullField.svelte';

async function setUp(onPull: (reference: string) => Promise<void>) {
  const onQuery = (query: string) => void rerender({ query });
  const { rerender } = await render(PullField, { query: '', onQuery, onPull });
  return page.getByRole('searchbox');
}

it('pulls what was typed on Enter, and is empty then', async () => {
  const onPull = vi.fn(() => Promise.resolve());
  const field = await setUp(onPull);
  await field.fill(' ai/smollm2 ');
  await userEvent.keyboard('{Enter}');
  expect(onPull).toHaveBeenCalledExactlyOnceWith('ai/smollm2');
  await expect.element(field).toHaveValue('');
});

it('keeps what was typed and says what is wrong with it', async () => {
  const field = await setUp(() => Promise.reject(new ApiError('invalid_reference', 'Leave out the space.')));
  await field.fill('x y');
  await page.getByRole('button', { name: 'Pull' }).click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('Leave out the space.');
  await expect.element(field).toHaveValue('x y');
  await expect.element(field).toHaveAttribute('aria-invalid', 'true');
  await field.fill('xy');
  expect(page.getByRole('alert').elements()).toHaveLength(0);
});

it('is cleared by Esc', async () => {
  const field = await setUp(() => Promise.resolve());
  await field.fill('smol');
  await userEvent.keyboard('{Escape}');
  await expect.element(field).toHaveValue('');
});
