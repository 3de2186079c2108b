import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import Menu from './Menu.svelte';

async function setUp() {
  const remove = vi.fn();
  const items = [
    { label: 'Chat', icon: 'chat', run: vi.fn() },
    { label: 'Copy reference', icon: 'copy', run: vi.fn() },
    { label: 'Delete…', icon: 'trash', run: remove },
  ];
  await render(Menu, { label: 'More', items });
  const button = page.getByRole('button', { name: 'More' });
  await button.click();
  return { button, remove };
}

const item = (name: string) => page.getByRole('menuitem', { name });

it('moves with arrows and letters, runs on Enter, gives the focus back', async () => {
  const { button, remove } = await setUp();
  await expect.element(item('Chat')).toHaveFocus();
  await userEvent.keyboard('{ArrowDown}');
  await expect.element(item('Copy reference')).toHaveFocus();
  await userEvent.keyboard('d');
  await expect.element(item('Delete…')).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  expect(remove).toHaveBeenCalledOnce();
  await expect.element(button).toHaveFocus();
  await expect.element(button).toHaveAttribute('aria-expanded', 'false');
});

it('closes on Esc', async () => {
  const { button } = await setUp();
  await userEvent.keyboard('{Escape}');
  expect(page.getByRole('menu').elements()).toHaveLength(0);
  await expect.element(button).toHaveFocus();
});
