import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import Composer from './Composer.svelte';

interface Changes {
  readonly text?: string;
  readonly answering?: boolean;
  readonly blocked?: string;
}

/** The page that holds the text, as far as the composer can see. */
async function setUp(changes: Changes = {}) {
  const onSend = vi.fn();
  const onStop = vi.fn();
  const onInput = (text: string) => void rerender({ text });
  const { rerender } = await render(Composer, {
    text: '',
    answering: false,
    onInput,
    onSend,
    onStop,
    ...changes,
  });
  return { onSend, onStop, box: page.getByRole('textbox', { name: 'Message' }) };
}

it('sends on Enter and empties the field', async () => {
  const { box, onSend } = await setUp();
  await box.fill('  Hello  ');
  await userEvent.keyboard('{Enter}');
  expect(onSend).toHaveBeenCalledExactlyOnceWith('Hello');
  await expect.element(box).toHaveValue('');
});

it('breaks the line on Shift Enter', async () => {
  const { box, onSend } = await setUp();
  await box.fill('One');
  await userEvent.keyboard('{Shift>}{Enter}{/Shift}two');
  await expect.element(box).toHaveValue('One\ntwo');
  expect(onSend).not.toHaveBeenCalled();
});

it('leaves Enter to an input method that composes', async () => {
  const { box, onSend } = await setUp();
  await box.fill('ni');
  box
    .element()
    .dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }));
  expect(onSend).not.toHaveBeenCalled();
});

it('sends nothing that is only white space', async () => {
  const { box, onSend } = await setUp();
  await box.fill('   ');
  await userEvent.keyboard('{Enter}');
  expect(onSend).not.toHaveBeenCalled();
  await expect.element(page.getByRole('button', { name: 'Send' })).toBeDisabled();
});

it('stops instead while an answer is written, and keeps what is typed', async () => {
  const { box, onSend, onStop } = await setUp({ answering: true });
  await box.fill('Next');
  await userEvent.keyboard('{Enter}');
  expect(onSend).not.toHaveBeenCalled();
  await expect.element(box).toHaveValue('Next');
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(onStop).toHaveBeenCalledOnce();
});

it('says why nothing can be sent', async () => {
  const { box } = await setUp({ blocked: 'Pull a model first', text: 'Hello' });
  await expect.element(box).toHaveAttribute('placeholder', 'Pull a model first');
  await expect.element(page.getByRole('button', { name: 'Send' })).toBeDisabled();
});
