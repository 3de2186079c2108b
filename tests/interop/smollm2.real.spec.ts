import { readFile } from 'node:fs/promises';
import { expect, fetchIn, ready, serveApp, test, textOf } from '#tests/support/app.ts';
import { startDockerRegistry } from '#tests/support/docker-registry.ts';
import { buildArtifact } from '#tests/support/registry/artifact.ts';

test('SmolLM2 is pulled from a registry, and a second tab asks it for the capital of France', async ({
  context,
}) => {
  test.setTimeout(10 * 60_000);
  const gguf = await readFile(process.env.SAMPAN_REAL_GGUF ?? '');
  const registry = await startDockerRegistry();
  const companion = await serveApp({ relayAllow: [registry.host] });
  await registry.push('ai/smollm2', '135m-q4_1', await buildArtifact([new Uint8Array(gguf)]));
  const from = `${registry.host}/ai/smollm2:135m-q4_1`;

  const page = await context.newPage();
  await page.goto(`${companion.url}/catalog`);
  await ready(page);
  await page.getByRole('searchbox').fill(from);
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await fetchIn(page, '/models')).text, { timeout: 120_000 }).toContain(from);

  const second = await context.newPage();
  await second.goto(`${companion.url}/models`);
  await ready(second);
  const answer = await fetchIn(second, '/engines/v1/chat/completions', {
    model: from,
    stream: true,
    temperature: 0,
    max_tokens: 48,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: 'What is the capital of France?' },
    ],
  });
  expect(answer.text).toContain('data: [DONE]');
  console.log(`SmolLM2: ${textOf(answer.text)}`);
  expect(textOf(answer.text)).toContain('Paris');
  await companion.close();
  await registry.close();
});
