import { expect, fetchIn, ready, test } from '#tests/support/app.ts';

test('the folder of an MLC model is packaged under a name, and runs on WebLLM', async ({
  page,
  companion,
}) => {
  test.setTimeout(240_000);
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await page.getByRole('button', { name: 'Package…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'MLC folder' }).click();
  await dialog.getByLabel('Folder').setInputFiles('tests/fixtures/tiny-mlc');
  await expect(dialog.getByText(/llama, q0f32, 7 files/)).toBeVisible();
  await dialog.getByLabel('Name of the new model').fill('local/folder:v1');
  await dialog.getByRole('button', { name: 'Package' }).click();
  const listed = async () =>
    (JSON.parse((await fetchIn(page, '/_sampan/models')).text) as { engine?: string; tags: string[] }[])[0];
  await expect.poll(async () => (await listed())?.engine).toBe('webllm');
  const answer = await fetchIn(page, '/v1/chat/completions', {
    model: 'local/folder:v1',
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 5.' }],
  });
  expect(answer.text).toContain('1, 2, 3, 4, 5');
});
