import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, fetchIn, pullIn, ready, say, test, textOf, tinyOn } from '#tests/support/app.ts';
import { has, startDockerRegistry } from '#tests/support/docker-registry.ts';
import { buildArtifact } from '#tests/support/registry/artifact.ts';

const file = new URL('../fixtures/tiny-q8_0.gguf', import.meta.url);

test.describe('with Debian’s docker-registry', () => {
  test.skip(!has('docker-registry') && process.env.CI !== 'true', 'docker-registry is not installed');

  for (const route of ['direct', 'relay'] as const) {
    test(`pulls ${route === 'direct' ? 'directly' : 'through the relay'}, chats, and answers a second tab`, async ({
      context,
    }) => {
      const { serveApp } = await import('#tests/support/app.ts');
      // The registry must know the app's origin, and the relay the registry's port.
      const probe = await serveApp();
      const origin = probe.url;
      const port = probe.port;
      await probe.close();
      const registry = await startDockerRegistry(route === 'direct' ? { allowOrigin: origin } : {});
      const companion = await serveApp({ port, relayAllow: route === 'relay' ? [registry.host] : [] });
      await registry.push('ai/tiny', 'q8', await buildArtifact([new Uint8Array(await readFile(file))]));

      const page = await context.newPage();
      await page.goto(`${companion.url}/catalog`);
      await ready(page);
      const from = `${registry.host}/ai/tiny:q8`;
      await page.getByRole('searchbox').fill(from);
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await fetchIn(page, '/models')).text).toContain(from);

      await page.goto(`${companion.url}/chat`);
      await expect(page.getByRole('textbox', { name: /message/i })).toBeVisible();
      await expect(page.getByRole('button', { name: /tiny/i }).first()).toBeVisible();
      await page.getByRole('textbox', { name: /message/i }).fill('What is the capital of France?');
      await page.keyboard.press('Enter');
      await expect(page.getByText('Paris.')).toBeVisible();

      const second = await context.newPage();
      await second.goto(`${companion.url}/models`);
      await ready(second);
      const answer = await fetchIn(second, '/engines/v1/chat/completions', {
        model: from,
        stream: true,
        temperature: 0,
        messages: [{ role: 'user', content: 'Count to 5.' }],
      });
      expect(textOf(answer.text)).toBe('1, 2, 3, 4, 5');
      await companion.close();
      await registry.close();
    });
  }
});

test('skopeo inspects the built-in model', async ({ companion }) => {
  test.skip(!has('skopeo') && process.env.CI !== 'true', 'skopeo is not installed');
  // Not synchronously: the companion that it asks lives in this process.
  const { stdout } = await promisify(execFile)('skopeo', [
    'inspect',
    '--raw',
    '--tls-verify=false',
    `docker://${tinyOn(companion)}`,
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    config: { mediaType: 'application/vnd.docker.ai.model.config.v0.1+json' },
  });
});

test('the built-in model is pulled like any other', async ({ page, companion }) => {
  await ready(page);
  expect(await pullIn(page, tinyOn(companion))).toMatchObject({
    type: 'success',
    message: 'Model pulled successfully',
  });
  await page.goto(`${companion.url}/chat`);
  await say(page, 'Count to 3.');
  await expect(page.getByText('1, 2, 3')).toBeVisible();
});
