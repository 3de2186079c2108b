import { readFile } from 'node:fs/promises';
import { fetchIn } from '#tests/support/app.ts';
import { violations } from '#tests/support/axe.ts';
import { ask, expect, test } from '#tests/support/host-tab.ts';

test('the log’s page follows what the runner does, leads to the request, and is downloaded', async ({
  host,
  open,
}) => {
  const page = await open('/logs');
  const log = page.getByRole('log');
  await ask(host, '/engines/unload', { all: true });
  await fetchIn(page, '/v1/chat/completions', {
    model: host.model,
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  await expect(log).toContainText('model loaded');
  await expect(log).toContainText('request answered');
  await expect(log.getByRole('button', { name: /llama\.cpp/ }).first()).toBeVisible();
  await expect(log.getByRole('link', { name: /^req_/ }).first()).toHaveAttribute(
    'href',
    /^\/requests\?id=req_/,
  );
  await page.getByRole('searchbox', { name: 'Search logs' }).fill('/model loaded/');
  await expect(log).not.toContainText('request answered');
  await expect(log.locator('mark').first()).toHaveText('model loaded');
  expect(await violations(page)).toEqual([]);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'More for the log' }).click();
  await page.getByRole('menuitem', { name: 'Download as JSON lines' }).click();
  const download = await downloading;
  const [first] = (await readFile(await download.path(), 'utf8')).split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ message: 'model loaded', component: 'scheduler' });
});
