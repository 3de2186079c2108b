import { readFile } from 'node:fs/promises';
import { expect, fetchIn, ready, test } from '#tests/support/app.ts';
import { startHuggingFace } from '#tests/support/registry/huggingface.ts';

test('a Hugging Face repository is pulled from the page, the quantization as asked, its case kept', async ({
  page,
  context,
}) => {
  const file = new Uint8Array(await readFile(new URL('../fixtures/tiny-q8_0.gguf', import.meta.url)));
  const hub = await startHuggingFace({
    repositories: {
      'Org/Tiny-GGUF': { files: { 'tiny-Q8_0.gguf': file, 'tiny-F32.gguf': new Uint8Array(64) } },
    },
  });
  await context.route('https://huggingface.co/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: `${hub.url}${pathname}${search}` }) });
  });
  await ready(page);
  await page.getByRole('searchbox').fill('hf.co/Org/Tiny-GGUF:Q8_0');
  await page.keyboard.press('Enter');
  await expect
    .poll(async () => (await fetchIn(page, '/models')).text)
    .toContain('huggingface.co/org/tiny-gguf:Q8_0');
  const answer = await fetchIn(page, '/v1/chat/completions', {
    model: 'hf.co/org/tiny-gguf:Q8_0',
    temperature: 0,
    messages: [{ role: 'user', content: 'What is the capital of Japan?' }],
  });
  expect(JSON.parse(answer.text).choices[0].message.content).toBe('Tokyo.');
  await hub.close();
});
