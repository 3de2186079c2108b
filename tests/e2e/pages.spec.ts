import type { Page } from '@playwright/test';
import { fetchIn, say } from '#tests/support/app.ts';
import { violations } from '#tests/support/axe.ts';
import { ask, expect, test } from '#tests/support/host-tab.ts';

const tabs = ['overview', 'configure', 'bench', 'files', 'metadata', 'json'];

/** What reaches past the right edge, unless it lies in something that scrolls or clips on purpose. */
function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const clips = (element: Element | null): boolean =>
      element !== null &&
      element !== document.body &&
      element.tagName !== 'MAIN' &&
      (getComputedStyle(element).overflowX !== 'visible' || clips(element.parentElement));
    return [...document.querySelectorAll('body *')]
      .filter(
        (element) => element.getBoundingClientRect().right > innerWidth + 1 && !clips(element.parentElement),
      )
      .filter((element) => getComputedStyle(element).position !== 'fixed' && element.checkVisibility())
      .map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}`);
  });
}

/** Narrow first, as loaded by a phone; then the same page grows. What axe finds depends on width in the extremes only. */
const views = [
  { width: 360, height: 740, colorScheme: 'dark', checks: ['axe', 'edge'] },
  { width: 820, height: 900, colorScheme: 'dark', checks: ['edge'] },
  { width: 1440, height: 900, colorScheme: 'dark', checks: ['axe', 'edge'] },
  { width: 1440, height: 900, colorScheme: 'light', checks: ['axe'] },
] as const;

async function show(page: Page, { width, height, colorScheme }: (typeof views)[number]): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}

test('every page is free of axe violations and of sideways scrolling, at any width and in both themes', async ({
  host,
  open,
}) => {
  test.slow();
  const page = await open('/chat');
  await say(page, 'Show me some code.');
  await expect(page.getByText(/tok\/s/).first()).toBeVisible();
  const { pathname, search } = new URL(page.url());
  const conversation = pathname + search;
  for (const path of ['/catalog', '/models', '/chat', conversation, '/nowhere']) {
    await show(page, views[0]);
    await page.goto(`${host.url}${path}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    for (const view of views) {
      await show(page, view);
      const where = `${path} at ${view.width} ${view.colorScheme}`;
      const checks: readonly string[] = view.checks;
      if (checks.includes('axe')) expect(await violations(page), where).toEqual([]);
      if (checks.includes('edge')) expect(await sticksOut(page), where).toEqual([]);
    }
  }
});

test('every tab of a model is free of axe violations and of sideways scrolling', async ({ host, open }) => {
  test.slow();
  const page = await open(`/models?model=${encodeURIComponent(host.model)}`);
  await show(page, views[0]);
  for (const tab of tabs) {
    const link = page.getByRole('tab', { name: new RegExp(tab, 'i') });
    await link.click();
    await expect(link).toHaveAttribute('aria-selected', 'true');
    expect(await violations(page), tab).toEqual([]);
    expect(await sticksOut(page), tab).toEqual([]);
  }
});

test('the pull tray and the delete dialog are free of axe violations', async ({ host, open }) => {
  await ask(host, '/_sampan/pulls', { from: host.model });
  const page = await open('/models');
  await page.getByRole('button', { name: /\d+ pulls?/ }).click();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page
    .getByRole('button', { name: /more|actions/i })
    .first()
    .click();
  await page.getByRole('menuitem', { name: /delete/i }).click();
  await expect(page.getByRole('alertdialog')).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test('with the keyboard alone a model is pulled, asked and deleted', async ({ host, open }) => {
  await ask(host, '/models/purge', undefined, { method: 'DELETE' });
  const page = await open('/catalog');
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(host.model);
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await fetchIn(page, '/models')).text).toContain('sampan/tiny');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/chat/);
  await expect(page.getByRole('button', { name: /Sampan self-test/ })).toBeVisible();
  await expect(page.getByRole('textbox', { name: /message/i })).toBeFocused();
  await page.keyboard.type('Hello!');
  await page.keyboard.press('Enter');
  await expect(page.getByText('How can I help you?')).toBeVisible();

  await page.goto(`${host.url}/models`);
  const menu = page.getByRole('button', { name: /more|actions/i }).first();
  await menu.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alertdialog')).toContainText('sampan/tiny');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toBeHidden();
  await expect(menu).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: /delete/i })
    .focus();
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await fetchIn(page, '/models')).text).toBe('[]');
});

test('an answer that was being written when the page went away is kept', async ({ open }) => {
  const page = await open('/chat');
  await say(page, 'Tell me a story.');
  await expect(page.getByText('Once upon a time').first()).toBeVisible();
  await page.reload();
  await expect(page.getByText('Once upon a time').first()).toBeVisible();
});
