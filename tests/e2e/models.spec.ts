import { readFile } from 'node:fs/promises';
import { fetchIn, ready } from '#tests/support/app.ts';
import { ask, expect, test } from '#tests/support/host-tab.ts';

test('a model is listed, described and deleted by the API of Docker Model Runner', async ({ host, open }) => {
  const page = await open('/models');
  await expect(page.getByRole('heading', { name: 'Models', level: 1 })).toBeVisible();
  // The same path is a page to a person and JSON to a program.
  const models = JSON.parse((await fetchIn(page, '/models')).text);
  expect(models).toMatchObject([
    { tags: [`${host.model}:latest`], config: { format: 'gguf', architecture: 'llama' } },
  ]);
  const status = JSON.parse((await fetchIn(page, '/engines/status')).text);
  expect(status['llama.cpp']).toMatch(/^Running: llama\.cpp b\d+/);
  const deleted = await page.evaluate(
    async (path) => (await fetch(path, { method: 'DELETE' })).json(),
    `/models/${host.model}`,
  );
  expect(deleted).toEqual([{ Untagged: `${host.model}:latest` }, { Deleted: models[0].id }]);
  const left = await page.evaluate(async () => {
    const blobs = await (await navigator.storage.getDirectory()).getDirectoryHandle('blobs');
    const names: string[] = [];
    for await (const name of (await blobs.getDirectoryHandle('sha256')).keys()) names.push(name);
    return names;
  });
  expect(left).toEqual([]);
});

test('an export is a download of the browser’s own, and comes back as the same model', async ({
  host,
  open,
}) => {
  const page = await open('/models');
  const before = (await fetchIn(page, '/models')).text;
  const downloading = page.waitForEvent('download');
  await page.evaluate((path) => location.assign(path), `/models/${host.model}/export`);
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`localhost-${new URL(host.url).port}-sampan-tiny.tar`);
  const tar = await readFile(await download.path());
  expect(page.url(), 'the page stays').toBe(`${host.url}/models`);
  await page.evaluate(() => fetch('/models/purge', { method: 'DELETE' }));
  expect((await fetchIn(page, '/models')).text).toBe('[]');
  await page.evaluate(
    async ([bytes, name]) => {
      const body = Uint8Array.from(atob(bytes ?? ''), (character) => character.charCodeAt(0));
      await (await fetch(`/models/load?name=${name}`, { method: 'POST', body })).text();
    },
    [tar.toString('base64'), host.model],
  );
  expect((await fetchIn(page, '/models')).text).toBe(before);
});

test('a deleted model comes back by Undo', async ({ host, open }) => {
  const page = await open('/models');
  await page.getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: /Delete/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No models in this browser yet')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name: 'Sampan self-test', exact: true })).toBeVisible();
  const answer = await fetchIn(page, '/v1/chat/completions', {
    model: host.model,
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  expect(answer.text).toContain('1, 2, 3');
});

test('a GGUF file that is brought in is packaged under a name, and runs', async ({ host, open }) => {
  await ask(host, '/models/purge', undefined, { method: 'DELETE' });
  const page = await open('/models');
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

test('settings hold from the next load on, and outlive the tab', async ({ host }) => {
  const { page, model } = host;
  await page.goto(`${host.url}/models?model=${encodeURIComponent(model)}&tab=configure`);
  await ready(page);
  await page.getByRole('textbox', { name: 'Context size' }).fill('256');
  await page.getByRole('button', { name: /^Save$/ }).click();
  const detail = async () =>
    JSON.parse((await fetchIn(page, `/_sampan/models/${model}`)).text) as {
      settings: object;
      in_force?: { context_size: number };
    };
  await expect.poll(async () => (await detail()).settings).toEqual({ context_size: 256 });
  await page.reload();
  await ready(page);
  await fetchIn(page, '/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'Count to 3.' }],
  });
  expect((await detail()).in_force?.context_size).toBe(256);
  await expect(page.getByRole('textbox', { name: 'Context size' })).toHaveValue('256');
});

test('a damaged file is found and fetched again', async ({ host, open }) => {
  const page = await open('/models');
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
      const response = await fetchIn(page, `/_sampan/models/${host.model}/repair`, {});
      return response.text.trim().split('\n').at(-1);
    })
    .toBe('{"type":"done","damaged":0}');
});
