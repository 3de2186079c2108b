import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import type { InForceJson, ModelDetailJson, ModelSettingsJson } from '#lib/model/wire.ts';
import { SettingsDraft } from '#lib/state/settings-draft.svelte.ts';
import { detailSample } from '#lib/state/testing/wire-samples.ts';
import ConfigureForm from './ConfigureForm.svelte';

const inForce: InForceJson = {
  context_size: 4096,
  keep_alive: '5m',
  gpu_layers: 28,
  threads: 4,
  cache_type_k: 'f16',
  cache_type_v: 'f16',
  flash_attention: false,
  parallel: 1,
  outdated: false,
};

async function setUp(
  changes: Partial<ModelDetailJson> = {},
  onSave = vi.fn((_settings: ModelSettingsJson) => Promise.resolve()),
) {
  const value = detailSample(changes);
  const onReload = vi.fn();
  const draft = new SettingsDraft(value.settings);
  await render(ConfigureForm, { draft, value, onSave, onReload });
  return { onReload, onSave };
}

const button = (name: string) => page.getByRole('button', { name, exact: true });
const contextNumber = () => page.getByRole('textbox', { name: 'Context size' });

it('shows what was asked, what is in force and what was trained', async () => {
  await setUp({ settings: { context_size: 6144 }, in_force: inForce });
  await expect.element(page.getByText('Asked 6,144 · in force 4,096 · trained 8,192')).toBeVisible();
  await expect.element(contextNumber()).toHaveValue('6144');
});

it('saves what was typed and chosen, and nothing for what is empty', async () => {
  const { onReload, onSave } = await setUp({ settings: { threads: 4 } });
  await contextNumber().fill('2,048');
  await page.getByRole('textbox', { name: 'CPU threads' }).fill('');
  await page.getByRole('combobox', { name: 'Unload when idle' }).selectOptions('Never');
  await page.getByRole('combobox', { name: 'Thinking' }).selectOptions('Off');
  await page.getByRole('textbox', { name: 'System prompt' }).fill('Be brief.');
  await button('Save').click();
  expect(onSave).toHaveBeenCalledExactlyOnceWith({
    context_size: 2048,
    keep_alive: '-1',
    think: false,
    system_prompt: 'Be brief.',
  });
  await expect.element(page.getByText('Saved.')).toBeVisible();
  expect(onReload).not.toHaveBeenCalled();
});

it('moves the number with the slider', async () => {
  await setUp();
  const slider = page.getByRole('slider', { name: 'Context size' });
  await slider.fill('0');
  await expect.element(contextNumber()).toHaveValue('512');
  await expect.element(slider).toHaveAttribute('aria-valuetext', '512 tokens');
});

it('loads a loaded model again after saving, or leaves it until the next load', async () => {
  const { onReload, onSave } = await setUp({ in_force: inForce });
  await button('Save for next load').click();
  await expect.poll(() => onSave.mock.calls.length).toBe(1);
  expect(onReload).not.toHaveBeenCalled();
  await button('Save and reload').click();
  await expect.poll(() => onReload.mock.calls.length).toBe(1);
});

it('offers to reload when the settings were changed since', async () => {
  const { onReload } = await setUp({ in_force: { ...inForce, outdated: true } });
  await button('Reload to apply').click();
  expect(onReload).toHaveBeenCalledOnce();
});

it('shows what the runner refuses at its field, in a fold too', async () => {
  const refused = new ApiError('invalid_request', 'Between 0 and 1.', { param: 'top_p' });
  const { onReload } = await setUp(
    { in_force: inForce },
    vi.fn(() => Promise.reject(refused)),
  );
  await button('Save and reload').click();
  await expect
    .element(page.getByRole('textbox', { name: 'Top p' }))
    .toHaveAccessibleDescription(/Between 0 and 1\./);
  expect(onReload).not.toHaveBeenCalled();
});

it('goes back to the defaults', async () => {
  const { onSave } = await setUp({ settings: { context_size: 1024, seed: 7 } });
  await button('Back to defaults').click();
  await button('Save').click();
  expect(onSave).toHaveBeenCalledExactlyOnceWith({});
});

it('keeps a choice that is not in its list', async () => {
  const { onSave } = await setUp({ settings: { keep_alive: '7m30s' } });
  await expect.element(page.getByRole('combobox', { name: 'Unload when idle' })).toHaveValue('7m30s');
  await button('Save').click();
  expect(onSave).toHaveBeenCalledExactlyOnceWith({ keep_alive: '7m30s' });
});
