import { readdir, readFile } from 'node:fs/promises';
import { expect, fetchIn, pullIn, ready, serveApp, test, textOf } from '#tests/support/app.ts';
import { has, startDockerRegistry } from '#tests/support/docker-registry.ts';
import { buildFolderArtifact } from '#tests/support/registry/artifact.ts';

const folder = new URL('../fixtures/tiny-mlc/', import.meta.url);

async function tinyMlc(): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const names = (await readdir(folder)).filter((name) => /\.(json|bin|wasm)$/.test(name));
  const files = names.map(
    async (name) => [name, new Uint8Array(await readFile(new URL(name, folder)))] as const,
  );
  return new Map(await Promise.all(files));
}

test('an MLC model is pulled from Debian’s docker-registry and runs on WebLLM', async ({ context }) => {
  test.skip(!has('docker-registry') && process.env.CI !== 'true', 'docker-registry is not installed');
  test.setTimeout(240_000);
  const probe = await serveApp();
  const { url: origin, port } = probe;
  await probe.close();
  const registry = await startDockerRegistry({ allowOrigin: origin });
  const companion = await serveApp({ port });
  const facts = { format: 'mlc', architecture: 'llama', quantization: 'q0f32', parameters: '0.4M' };
  await registry.push('mlc/tiny', 'latest', await buildFolderArtifact(await tinyMlc(), facts));

  const page = await context.newPage();
  await page.goto(`${companion.url}/models`);
  await ready(page);
  const model = `${registry.host}/mlc/tiny`;
  expect(await pullIn(page, model)).toMatchObject({ type: 'success' });
  const [local] = JSON.parse((await fetchIn(page, '/_sampan/models')).text) as { engine?: string }[];
  expect(local?.engine).toBe('webllm');

  const second = await context.newPage();
  await second.goto(`${companion.url}/models`);
  await ready(second);
  const answer = await fetchIn(second, '/engines/webllm/v1/chat/completions', {
    model,
    stream: true,
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 5.' }],
  });
  expect(textOf(answer.text)).toBe('1, 2, 3, 4, 5');
  const [runner] = JSON.parse((await fetchIn(page, '/engines/ps')).text) as { backend_name: string }[];
  expect(runner?.backend_name).toBe('webllm');
  await companion.close();
  await registry.close();
});
