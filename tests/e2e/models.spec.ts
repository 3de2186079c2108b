import { readFile } from 'node:fs/promises';
import { expect, fetchIn, pullIn, ready, test, tinyOn } from '#tests/support/app.ts';

test('an export is a download of the browser’s own, and comes back as the same model', async ({
  page,
  companion,
}) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await pullIn(page, tinyOn(companion));
  const before = (await fetchIn(page, '/models')).text;
  const downloading = page.waitForEvent('download');
  await page.evaluate((path) => location.assign(path), `/models/${tinyOn(companion)}/export`);
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`localhost-${companion.port}-sampan-tiny.tar`);
  const tar = await readFile(await download.path());
  expect(page.url(), 'the page stays').toBe(`${companion.url}/models`);
  await page.evaluate(() => fetch('/models/purge', { method: 'DELETE' }));
  expect((await fetchIn(page, '/models')).text).toBe('[]');
  await page.evaluate(
    async ([bytes, name]) => {
      const body = Uint8Array.from(atob(bytes ?? ''), (character) => character.charCodeAt(0));
      await (await fetch(`/models/load?name=${name}`, { method: 'POST', body })).text();
    },
    [tar.toString('base64'), tinyOn(companion)],
  );
  expect((await fetchIn(page, '/models')).text).toBe(before);
});

test('a deleted model comes back by Undo', async ({ page, companion }) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: /Delete/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No models in this browser yet')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name: 'Sampan self-test', exact: true })).toBeVisible();
  const answer = await fetchIn(page, '/v1/chat/completions', {
    model: tinyOn(companion),
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  expect(answer.text).toContain('1, 2, 3');
});

test('a GGUF file that is brought in is packaged under a name, and runs', async ({ page, companion }) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await page.locator('input[type=file]').first().setInputFiles('tests/fixtures/tiny-q8_0.gguf');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Package' }).click();
  await expect(page.getByRole('link', { name: /tiny/i }).first()).toBeVisible();
  const [model] = JSON.parse((await fetchIn(page, '/models')).text) as { tags: string[] }[];
  const answer = await fetchIn(page, '/v1/chat/completions', {
    model: model?.tags[0],
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 5.' }],
  });
  expect(answer.text).toContain('1, 2, 3, 4, 5');
});

test('settings hold from the next load on, and outlive the tab', async ({ page, companion }) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.goto(`${companion.url}/models?model=${encodeURIComponent(tinyOn(companion))}&tab=configure`);
  await ready(page);
  await page.getByRole('textbox', { name: 'Context size' }).fill('256');
  await page.getByRole('button', { name: /^Save$/ }).click();
  const detail = async () =>
    JSON.parse((await fetchIn(page, `/_sampan/models/${tinyOn(companion)}`)).text) as {
      settings: object;
      in_force?: { context_size: number };
    };
  await expect.poll(async () => (await detail()).settings).toEqual({ context_size: 256 });
  await page.reload();
  await ready(page);
  await fetchIn(page, '/v1/chat/completions', {
    model: tinyOn(companion),
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  expect((await detail()).in_force?.context_size).toBe(256);
  await expect(page.getByRole('textbox', { name: 'Context size' })).toHaveValue('256');
});

test('a damaged file is found and fetched again', async ({ page, companion }) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await pullIn(page, tinyOn(companion));
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const blobs = await (await root.getDirectoryHandle('blobs')).getDirectoryHandle('sha256');
    for await (const handle of blobs.values()) {
      if (handle.kind !== 'file') continue;
      const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      const writable = await handle.createWritable();
      await writable.write(bytes);
      await writable.close();
    }
  });
  await page.getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: /Repair|Verify|Check/ }).click();
  await expect(page.getByText(/damaged/i).first()).toBeVisible();
  await expect
    .poll(async () => JSON.parse((await fetchIn(page, '/_sampan/models')).text) as unknown)
    .toMatchObject([{ engine: 'llama.cpp' }]);
  await expect
    .poll(async () => {
      const response = await fetchIn(page, `/_sampan/models/${tinyOn(companion)}/repair`, {});
      return response.text.trim().split('\n').at(-1);
    })
    .toBe('{"type":"done","damaged":0}');
});
