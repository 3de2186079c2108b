import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { expect, fetchIn, pullIn, ready, test, tinyOn } from '#tests/support/app.ts';

test('the log’s page follows what the runner does, leads to the request, and is downloaded', async ({
  page,
  companion,
}) => {
  await page.goto(`${companion.url}/logs`);
  await ready(page);
  const log = page.getByRole('log');
  await pullIn(page, tinyOn(companion));
  await fetchIn(page, '/v1/chat/completions', {
    model: tinyOn(companion),
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  await expect(log).toContainText('model loaded');
  await expect(log).toContainText('request answered');
  await expect(log.getByRole('button', { name: /llama\.cpp/ }).first()).toBeVisible();
  await expect(log.getByRole('link', { name: /^req_/ }).first()).toHaveAttribute(
    'href',
    /^\/requests\?id=req_/,
  );
  await page.getByRole('searchbox', { name: 'Search logs' }).fill('/model (un)?loaded/');
  await expect(log).not.toContainText('request answered');
  await expect(log.locator('mark').first()).toHaveText('model loaded');
  const found = await new AxeBuilder({ page }).setLegacyMode().analyze();
  expect(found.violations).toEqual([]);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'More for the log' }).click();
  await page.getByRole('menuitem', { name: 'Download as JSON lines' }).click();
  const download = await downloading;
  const [first] = (await readFile(await download.path(), 'utf8')).split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ message: 'model loaded', component: 'scheduler' });
});
