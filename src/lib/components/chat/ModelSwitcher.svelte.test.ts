import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import { digestOf, runnerSample } from '#lib/state/testing/wire-samples.ts';
import ModelSwitcher from './ModelSwitcher.svelte';

function model(n: number, title: string, runner?: LocalModel['runner']): LocalModel {
  const reference = `docker.io/ai/${title.toLowerCase()}:latest`;
  return {
    id: digestOf(n),
    reference,
    tags: [reference],
    title,
    parameters: '1B',
    quantization: 'Q4_K_M',
    contextSize: 8192,
    sizeBytes: 800_000_000,
    createdMs: 0,
    runner,
  };
}

const models = [model(1, 'Alpha'), model(2, 'Beta'), model(3, 'Gamma', runnerSample(3))];

async function setUp() {
  const onChoose = vi.fn();
  const onClose = vi.fn();
  await render(ModelSwitcher, { models, current: digestOf(3), onChoose, onClose });
  return { onChoose, onClose, box: page.getByRole('combobox', { name: 'Choose a model' }) };
}

it('has the focus and the model in use first', async () => {
  const { box } = await setUp();
  await expect.element(box).toHaveFocus();
  await expect.element(page.getByRole('option', { selected: true })).toHaveTextContent('Gamma');
});

it('moves with the arrows, round the ends, and uses on Enter', async () => {
  const { onChoose } = await setUp();
  await userEvent.keyboard('{ArrowDown}');
  await expect.element(page.getByRole('option', { selected: true })).toHaveTextContent('Alpha');
  await userEvent.keyboard('{ArrowUp}{ArrowUp}{Enter}');
  expect(onChoose).toHaveBeenCalledExactlyOnceWith(models[1]);
});

it('points the combobox at the active option', async () => {
  const { box } = await setUp();
  await userEvent.keyboard('{ArrowDown}');
  const active = box.element().getAttribute('aria-activedescendant');
  expect(active && document.getElementById(active)?.textContent).toContain('Alpha');
});

it('filters while typing', async () => {
  const { box, onChoose } = await setUp();
  await box.fill('bet');
  expect(page.getByRole('option').elements()).toHaveLength(1);
  await userEvent.keyboard('{Enter}');
  expect(onChoose).toHaveBeenCalledExactlyOnceWith(models[1]);
  await box.fill('nothing like it');
  await expect.element(page.getByText('No local model matches.')).toBeVisible();
});

it('closes on Esc', async () => {
  const { onClose } = await setUp();
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => onClose.mock.calls.length).toBe(1);
});
