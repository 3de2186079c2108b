import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, fetchIn, pullIn, ready, say, test, tinyOn } from '#tests/support/app.ts';

const paths = ['/catalog', '/models', '/chat', '/nowhere'];
const tabs = ['overview', 'configure', 'bench', 'files', 'metadata', 'json'];

async function violations(page: Page): Promise<string[]> {
  // A client of its own would load a page without isolation, which the app's own headers forbid.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`));
}

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

/** A model and a conversation, so that the pages have something to show. */
async function furnish(page: Page, model: string, url: string): Promise<void> {
  await ready(page);
  await pullIn(page, model);
  await page.goto(`${url}/chat`);
  await say(page, 'Show me some code.');
  await expect(page.getByText(/tok\/s/).first()).toBeVisible();
}

test('every page is free of axe violations and of sideways scrolling, at any width and in both themes', async ({
  page,
  companion,
}) => {
  test.slow();
  await furnish(page, tinyOn(companion), companion.url);
  for (const [width, height, colorScheme] of [
    [1440, 900, 'light'],
    [1440, 900, 'dark'],
    [820, 900, 'light'],
    [360, 740, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const path of paths) {
      await page.goto(`${companion.url}${path}`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      expect(await violations(page), `${path} at ${width} ${colorScheme}`).toEqual([]);
      expect(await sticksOut(page), `${path} at ${width}`).toEqual([]);
    }
  }
});

test('every tab of a model is free of axe violations and of sideways scrolling', async ({
  page,
  companion,
}) => {
  test.slow();
  await furnish(page, tinyOn(companion), companion.url);
  for (const [width, height, colorScheme] of [[360, 740, 'dark']] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const tab of tabs) {
      await page.goto(`${companion.url}/models?model=${encodeURIComponent(tinyOn(companion))}&tab=${tab}`);
      await expect(page.getByRole('tab', { selected: true, name: new RegExp(tab, 'i') })).toBeVisible();
      expect(await violations(page), `${tab} at ${width} ${colorScheme}`).toEqual([]);
      expect(await sticksOut(page), `${tab} at ${width}`).toEqual([]);
    }
  }
});

test('the pull tray and the delete dialog are free of axe violations', async ({ page, companion }) => {
  await furnish(page, tinyOn(companion), companion.url);
  await page.goto(`${companion.url}/models`);
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

test('with the keyboard alone a model is pulled, asked and deleted', async ({ page, companion }) => {
  await ready(page);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(tinyOn(companion));
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

  await page.goto(`${companion.url}/models`);
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

test('an answer that was being written when the page went away is kept', async ({ page, companion }) => {
  await furnish(page, tinyOn(companion), companion.url);
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await say(page, 'Tell me a story.');
  await expect(page.getByText('Once upon a time').first()).toBeVisible();
  await page.reload();
  await expect(page.getByText('Once upon a time').first()).toBeVisible();
});
