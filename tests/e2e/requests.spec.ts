import type { Page } from '@playwright/test';
import { fetchIn, ready, say } from '#tests/support/app.ts';
import { violations } from '#tests/support/axe.ts';
import { ask as askProgram, expect, test } from '#tests/support/host-tab.ts';

const hostile = '<img src=x onerror="document.title=1">\u001b[31m \u202eevil {@html x}';

function ask(page: Page, model: string, content: string, fields: object = {}) {
  const messages = [{ role: 'user', content }];
  return fetchIn(page, '/v1/chat/completions', { model, temperature: 0, messages, ...fields });
}

const rows = (page: Page) => page.getByRole('grid', { name: 'Requests' }).getByRole('row');

test.beforeEach(async ({ host }) => {
  await askProgram(host, '/_sampan/requests', undefined, { method: 'DELETE' });
});

test('requests of another tab show as they happen, and stay after a reload', async ({ host, open }) => {
  const { page } = host;
  await page.goto(`${host.url}/requests`);
  await ready(page);
  await expect(page.getByText('No requests yet')).toBeVisible();
  const other = await open('/catalog');
  await ask(other, host.model, 'Count to 3.');
  const row = rows(page).filter({ hasText: 'Count to 3.' });
  await expect(row).toContainText('200');
  await expect(row).toContainText('Script of this site');
  await row.click();
  await expect(page.getByRole('heading', { name: 'Where the time went' })).toBeVisible();
  await page.getByRole('tab', { name: 'Response' }).click();
  await expect(page.getByLabel('Answer')).toContainText('1, 2, 3');
  // This tab's worker is the runner: what shows after a reload comes from the disk.
  await page.reload();
  await expect(page.getByLabel('Answer')).toContainText('1, 2, 3');
  await expect(rows(page).filter({ hasText: 'Count to 3.' })).toBeVisible();
});

test('a tab that is killed while it waits for its answer leaves a record that says so', async ({
  host,
  open,
}) => {
  const page = await open('/requests');
  const other = await open('/catalog');
  await askProgram(host, '/engines/unload', { all: true });
  await other.evaluate(
    ([model]) => {
      const messages = [{ role: 'user', content: 'Count to 200.' }];
      // Without an end of its own: the tab must go first.
      const body = { model, messages, ignore_eos: true, max_tokens: 100_000 };
      void fetch('/v1/chat/completions', { method: 'POST', body: JSON.stringify(body) });
    },
    [host.model],
  );
  const row = rows(page).filter({ hasText: 'Count to 200.' });
  await expect(row).toBeVisible();
  await other.close();
  await expect(row).toContainText('Cancelled');
});

test('what a prompt holds is text, a failure says what to do, and a request can be sent again', async ({
  host,
  open,
}) => {
  await ask(host.page, host.model, hostile);
  await ask(host.page, 'ai/not-here', 'Hello?');
  const page = await open('/requests?state=done');
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

test('an answer of the chat leads to its request and back', async ({ open }) => {
  const page = await open('/chat');
  await say(page, 'Count to 3.');
  await page.getByRole('link', { name: 'Open in Requests' }).click();
  await expect(page.getByRole('heading', { name: /^Chat completion/ })).toBeVisible();
  await page.getByRole('button', { name: 'More for this request' }).click();
  await page.getByRole('menuitem', { name: 'Open in Chat' }).click();
  await expect(page).toHaveURL(/\/chat\?c=/);
});

test('the page is free of axe violations, wide and narrow, with a request open and without', async ({
  host,
  open,
}) => {
  test.slow();
  await ask(host.page, host.model, 'Count to 3.');
  const page = await open('/requests?source=tab');
  for (const [width, height, colorScheme] of [
    [1440, 900, 'light'],
    [390, 844, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto(`${host.url}/requests?source=tab`);
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
