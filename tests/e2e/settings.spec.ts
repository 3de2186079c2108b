import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, fetchIn, pullIn, ready, say, test, tinyOn } from '#tests/support/app.ts';

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`));
}

function sideways(page: Page): Promise<number> {
  return page.evaluate(() => {
    const main = document.querySelector('main');
    return main ? main.scrollWidth - main.clientWidth : 0;
  });
}

/** Names of what is left in the browser, besides the files of the app. */
function leftovers(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const left = Object.keys(localStorage);
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) {
      const handle = await root.getDirectoryHandle(name);
      for await (const [path, child] of handle.entries()) {
        const directory = child.kind === 'directory' ? child : undefined;
        if (!directory) left.push(`${name}/${path}`);
        else for await (const file of directory.keys()) left.push(`${name}/${path}/${file}`);
      }
    }
    return left;
  });
}

test('settings are reached and changed by keyboard, stay, and are accessible at any width', async ({
  page,
}) => {
  await ready(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await expect(page).toHaveURL(/\/settings$/);
  const idle = page.getByRole('combobox', { name: 'Unload when idle' });
  await expect(idle).toHaveValue('5m');
  expect(await violations(page), '1440 light').toEqual([]);

  await idle.focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('region', { name: 'Engine' })).toContainText('Saved');
  await page.getByRole('textbox', { name: 'Site to allow or block' }).fill('https://notes.example');
  await page.keyboard.press('Enter');
  const row = page.getByRole('row', { name: 'https://notes.example' });
  await expect(row).toContainText('All models');
  await page.getByRole('textbox', { name: 'Site to allow or block' }).fill('notes example');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('no origin');

  await page.reload();
  await expect(idle).toHaveValue('15m');
  await row.getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row).toBeVisible();

  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(page.getByRole('link', { name: 'More' })).toHaveAttribute('aria-current', 'page');
  expect(await violations(page), '360 dark').toEqual([]);
  expect(await sideways(page)).toBe(0);
  await page.getByRole('navigation', { name: 'More pages' }).getByRole('link', { name: 'Logs' }).click();
  await expect(page).toHaveURL(/\/logs$/);
});

test('the build of llama.cpp for the CPU is pinned, what is loaded goes, and the next answer comes from it', async ({
  page,
  companion,
}) => {
  const model = tinyOn(companion);
  await ready(page);
  await pullIn(page, model);
  const hello = { model, messages: [{ role: 'user', content: 'Hello!' }] };
  const ask = async () => (await fetchIn(page, '/engines/v1/chat/completions', hello)).text;
  const engines = async () => (await fetchIn(page, '/engines/status')).text;
  expect(await ask()).toContain('How can I help you?');
  expect(await engines()).toContain('relaxed SIMD');
  await page.goto(`${companion.url}/settings`);
  const build = page.getByRole('combobox', { name: 'llama.cpp on the CPU' });
  for (const [choice, words] of [
    ['simd', 'SIMD, pinned'],
    ['package', 'pinned'],
  ] as const) {
    await build.selectOption(choice);
    await expect(build).toHaveAccessibleDescription(new RegExp(`New loads use: .*${words}\\.`));
    expect((await fetchIn(page, '/engines/ps')).text).toBe('[]');
    expect(await ask()).toContain('How can I help you?');
    expect(await engines()).toContain(words);
  }
  await page.reload();
  await expect(build).toHaveValue('package');
});

test('deleting everything leaves nothing in any tab, and Sampan works on', async ({
  page,
  context,
  companion,
}) => {
  test.slow();
  const model = tinyOn(companion);
  await ready(page);
  await pullIn(page, model);
  const other = await context.newPage();
  await other.goto(`${companion.url}/chat`);
  await say(other, 'Hello!');
  await expect(other.getByText('How can I help you?')).toBeVisible();

  // Not the tab that hosts the engine: it is ended all the same.
  await other.goto(`${companion.url}/settings`);
  await other.getByRole('button', { name: 'Dark', exact: true }).click();
  await expect(other.getByRole('region', { name: 'Storage' })).toContainText(
    '1 model, 1 conversation, 1 request',
  );
  await other.getByRole('button', { name: 'Delete all…' }).click();
  await other.getByRole('textbox', { name: /confirm/ }).fill('delete');
  const reloaded = [page, other].map((tab) => tab.waitForEvent('load'));
  await other.getByRole('button', { name: 'Delete all', exact: true }).click();
  await Promise.all(reloaded);

  await expect(other.getByRole('region', { name: 'Storage' })).toContainText(
    '0 models, 0 conversations, 0 requests',
  );
  await expect(other.getByRole('button', { name: 'System', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await ready(other);
  expect((await fetchIn(other, '/models')).text).toBe('[]');
  expect(await leftovers(other)).toEqual([]);
  expect(await pullIn(page, model)).toMatchObject({ type: 'success' });
});
