import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fetchIn, textOf } from '#tests/support/app.ts';
import { has, startDockerRegistry } from '#tests/support/docker-registry.ts';
import { ask, expect, test } from '#tests/support/host-tab.ts';
import { buildArtifact } from '#tests/support/registry/artifact.ts';

const file = new URL('../fixtures/tiny-q8_0.gguf', import.meta.url);

test.describe('with Debian’s docker-registry', () => {
  test.skip(!has('docker-registry') && process.env.CI !== 'true', 'docker-registry is not installed');

  for (const route of ['direct', 'relay'] as const) {
    test(`pulls ${route === 'direct' ? 'directly' : 'through the relay'}, chats, and answers a second tab`, async ({
      host,
      open,
    }) => {
      const access = route === 'direct' ? { allowOrigin: host.url } : { port: host.privatePort };
      const registry = await startDockerRegistry(access);
      await registry.push('ai/tiny', 'q8', await buildArtifact([new Uint8Array(await readFile(file))]));
      // The chat is to have no other model to choose.
      await ask(host, '/models/purge', undefined, { method: 'DELETE' });

      const page = await open('/catalog');
      const from = `${registry.host}/ai/tiny:q8`;
      await page.getByRole('searchbox').fill(from);
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await fetchIn(page, '/models')).text).toContain(from);

      await page.goto(`${host.url}/chat`);
      await expect(page.getByRole('button', { name: /tiny/i }).first()).toBeVisible();
      await page.getByRole('textbox', { name: /message/i }).fill('What is the capital of France?');
      await page.keyboard.press('Enter');
      await expect(page.getByText('Paris.')).toBeVisible();

      const answer = await fetchIn(host.page, '/engines/v1/chat/completions', {
        model: from,
        stream: true,
        temperature: 0,
        messages: [{ role: 'user', content: 'Count to 5.' }],
      });
      expect(textOf(answer.text)).toBe('1, 2, 3, 4, 5');
      await registry.close();
    });
  }
});

test('skopeo inspects the built-in model', async ({ host }) => {
  test.skip(!has('skopeo') && process.env.CI !== 'true', 'skopeo is not installed');
  // Not synchronously: the companion that it asks lives in this process.
  const { stdout } = await promisify(execFile)('skopeo', [
    'inspect',
    '--raw',
    '--tls-verify=false',
    `docker://${host.model}`,
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    config: { mediaType: 'application/vnd.docker.ai.model.config.v0.1+json' },
  });
});
