import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, fetchIn, pullIn, ready, say, test, tinyOn } from '#tests/support/app.ts';

const hostile = '<img src=x onerror="document.title=1">\u001b[31m \u202eevil {@html x}';

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`));
}

function ask(page: Page, model: string, content: string, fields: object = {}) {
  const messages = [{ role: 'user', content }];
  return fetchIn(page, '/v1/chat/completions', { model, temperature: 0, messages, ...fields });
}

const rows = (page: Page) => page.getByRole('grid', { name: 'Requests' }).getByRole('row');

test('requests of another tab show as they happen, and stay after a reload', async ({
  page,
  context,
  companion,
}) => {
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.goto(`${companion.url}/requests`);
  await ready(page);
  await expect(page.getByText('No requests yet')).toBeVisible();
  const other = await context.newPage();
  await other.goto(`${companion.url}/catalog`);
  await ready(other);
  await ask(other, tinyOn(companion), 'Count to 3.');
  const row = rows(page).filter({ hasText: 'Count to 3.' });
  await expect(row).toContainText('200');
  await expect(row).toContainText('Script of this site');
  await row.click();
  await expect(page.getByRole('heading', { name: 'Where the time went' })).toBeVisible();
  await page.getByRole('tab', { name: 'Response' }).click();
  await expect(page.getByLabel('Answer')).toContainText('1, 2, 3');
  await page.reload();
  await expect(page.getByLabel('Answer')).toContainText('1, 2, 3');
  await expect(rows(page).filter({ hasText: 'Count to 3.' })).toBeVisible();
});

test('a tab that is killed while it waits for its answer leaves a record that says so', async ({
  page,
  context,
  companion,
}) => {
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.goto(`${companion.url}/requests`);
  await ready(page);
  const other = await context.newPage();
  await other.goto(`${companion.url}/catalog`);
  await ready(other);
  // The model has to be loaded first, which takes longer than closing a tab.
  await other.evaluate(
    ([model]) => {
      const messages = [{ role: 'user', content: 'Count to 200.' }];
      void fetch('/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model, messages }) });
    },
    [tinyOn(companion)],
  );
  const row = rows(page).filter({ hasText: 'Count to 200.' });
  await expect(row).toBeVisible();
  await other.close();
  await expect(row).toContainText('Cancelled');
});

test('what a prompt holds is text, a failure says what to do, and a request can be sent again', async ({
  page,
  companion,
}) => {
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await ask(page, tinyOn(companion), hostile);
  await ask(page, 'ai/not-here', 'Hello?');
  await page.goto(`${companion.url}/requests?state=done`);
  await expect(rows(page).filter({ hasText: '⟨U+202E⟩evil' })).toBeVisible();
  await expect(rows(page).filter({ hasText: 'Hello?' })).toHaveCount(0);
  expect(await page.locator('img').count()).toBe(0);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await rows(page).filter({ hasText: 'Hello?' }).click();
  await expect(page.getByRole('alert')).toContainText('model_not_found');
  await rows(page).filter({ hasText: '⟨U+202E⟩evil' }).click();
  const before = page.url();
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect.poll(() => page.url()).not.toBe(before);
  await expect(page.getByText('Replay of')).toBeVisible();
  await expect(rows(page).filter({ hasText: 'Replay' })).toHaveCount(1);
});

test('an answer of the chat leads to its request and back', async ({ page, companion }) => {
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.goto(`${companion.url}/chat`);
  await say(page, 'Count to 3.');
  await page.getByRole('link', { name: 'Open in Requests' }).click();
  await expect(page.getByRole('heading', { name: /^Chat completion/ })).toBeVisible();
  await page.getByRole('button', { name: 'More for this request' }).click();
  await page.getByRole('menuitem', { name: 'Open in Chat' }).click();
  await expect(page).toHaveURL(/\/chat\?c=/);
});

test('the page is free of axe violations, wide and narrow, with a request open and without', async ({
  page,
  companion,
}) => {
  test.slow();
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await ask(page, tinyOn(companion), 'Count to 3.');
  await page.goto(`${companion.url}/requests`);
  for (const [width, height, colorScheme] of [
    [1440, 900, 'light'],
    [390, 844, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto(`${companion.url}/requests?source=tab`);
    await expect(rows(page).filter({ hasText: 'Count to 3.' })).toBeVisible();
    expect(await violations(page), `list at ${width}`).toEqual([]);
    await rows(page).filter({ hasText: 'Count to 3.' }).click();
    for (const tab of ['Overview', 'Request', 'Response']) {
      await page.getByRole('tab', { name: tab }).click();
      await expect(page.getByRole('tabpanel')).toBeVisible();
      expect(await violations(page), `${tab} at ${width}`).toEqual([]);
    }
  }
});
