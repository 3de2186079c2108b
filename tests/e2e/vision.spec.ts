import { expect, fetchIn, ready, test } from '#tests/support/app.ts';

/** Black, red, green and yellow, which the eye among the fixtures reads as " Japan". */
const picture =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAHklEQVR42mNgwAH+40AMoxpoowGHzH8caFQDTTQAAHNh/wE+hNaRAAAAAElFTkSuQmCC';

const content = [
  { type: 'text', text: 'What is the capital of' },
  { type: 'image_url', image_url: { url: picture, detail: 'auto' } },
  { type: 'text', text: '?' },
];

test('a model that is packaged with a projector says that it sees, and does', async ({ page, companion }) => {
  await page.goto(`${companion.url}/models`);
  await ready(page);
  await page.locator('input[type=file]').first().setInputFiles('tests/fixtures/tiny.gguf');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^Template, projector/).click();
  await dialog.getByLabel('Chat template').setInputFiles('tests/fixtures/parts.jinja');
  await dialog.getByLabel('Image projector').setInputFiles('tests/fixtures/mmproj-eye.gguf');
  await dialog.getByRole('button', { name: 'Package' }).click();
  await expect(page.getByRole('link', { name: /tiny/i }).first()).toBeVisible();
  const [model] = JSON.parse((await fetchIn(page, '/models')).text) as { tags: string[] }[];
  const asked = {
    model: model?.tags[0],
    temperature: 0,
    max_tokens: 8,
    messages: [{ role: 'user', content }],
  };
  const answer = await fetchIn(page, '/v1/chat/completions', asked);
  expect(JSON.parse(answer.text)).toMatchObject({ choices: [{ message: { content: 'Tokyo.' } }] });
  const heard = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
  const refused = await fetchIn(page, '/v1/chat/completions', {
    ...asked,
    messages: [{ role: 'user', content: [heard] }],
  });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain('sees images');
});
