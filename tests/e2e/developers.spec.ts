/** The API page: what it tells programs is true, a request is tried from it, every endpoint is found. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test, type HostTab } from '#tests/support/host-tab.ts';

const run = promisify(execFile);

async function open({ page, url }: HostTab): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(`${url}/developers`);
  await expect(tab.getByRole('heading', { level: 1, name: 'API' })).toBeVisible();
  return tab;
}

test('the command that the page shows gets an answer from this browser', async ({ host }) => {
  const page = await open(host);
  await expect(page.getByText(`${host.url}/engines/v1`).first()).toBeVisible();
  const snippet = page.getByRole('region', { name: 'curl' }).locator('pre');
  await expect(snippet).toContainText(host.model);
  const { stdout } = await run('sh', ['-c', (await snippet.textContent()) ?? '']);
  expect(JSON.parse(stdout)).toMatchObject({ object: 'chat.completion', choices: [{ index: 0 }] });
  await page.close();
});

test('a request is written, sent, read as it streams, and leads to its record', async ({ host }) => {
  const page = await open(host);
  const body = page.getByRole('textbox', { name: 'Body' });
  await expect(body).toHaveValue(new RegExp(host.model));
  await body.fill('{"model": ');
  await expect(page.getByText(/not JSON yet/)).toBeVisible();
  await body.fill(
    JSON.stringify({
      model: host.model,
      messages: [{ role: 'user', content: 'Count to 5.' }],
      temperature: 0,
      stream: true,
    }),
  );
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByText('1, 2, 3, 4, 5', { exact: true })).toBeVisible();
  await expect(page.getByText(/^200 in /)).toBeVisible();
  await expect(page.getByText('data: [DONE]')).toBeVisible();

  await page.getByRole('searchbox', { name: 'Search endpoints' }).fill('disk');
  await page.getByText('/engines/df', { exact: true }).click();
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByText(/"models_disk_usage"/)).toBeVisible();
  await page.close();
});

test('the page is free of axe violations and of sideways scrolling', async ({ host }) => {
  const page = await open(host);
  await page.getByText('/engines/v1/chat/completions', { exact: true }).last().click();
  for (const [width, height, colorScheme] of [
    [1440, 900, 'light'],
    [390, 844, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    expect(
      violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`)),
      `at ${width} ${colorScheme}`,
    ).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThan(1);
    const main = page.locator('main');
    expect(await main.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThan(1);
  }
  await page.close();
});
