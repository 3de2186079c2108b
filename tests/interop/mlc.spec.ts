import { readdir, readFile } from 'node:fs/promises';
import { fetchIn, pullIn, textOf } from '#tests/support/app.ts';
import { has, startDockerRegistry } from '#tests/support/docker-registry.ts';
import { expect, test } from '#tests/support/host-tab.ts';
import { buildFolderArtifact } from '#tests/support/registry/artifact.ts';

const folder = new URL('../fixtures/tiny-mlc/', import.meta.url);

async function tinyMlc(): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const names = (await readdir(folder)).filter((name) => /\.(json|bin|wasm)$/.test(name));
  const files = names.map(
    async (name) => [name, new Uint8Array(await readFile(new URL(name, folder)))] as const,
  );
  return new Map(await Promise.all(files));
}

test('an MLC model is pulled from Debian’s docker-registry and runs on WebLLM', async ({ host, open }) => {
  test.skip(!has('docker-registry') && process.env.CI !== 'true', 'docker-registry is not installed');
  test.setTimeout(240_000);
  const registry = await startDockerRegistry({ allowOrigin: host.url });
  const facts = { format: 'mlc', architecture: 'llama', quantization: 'q0f32', parameters: '0.4M' };
  await registry.push('mlc/tiny', 'latest', await buildFolderArtifact(await tinyMlc(), facts));

  const { page } = host;
  const model = `${registry.host}/mlc/tiny`;
  expect(await pullIn(page, model)).toMatchObject({ type: 'success' });
  const stored = JSON.parse((await fetchIn(page, '/_sampan/models')).text) as object[];
  expect(stored).toContainEqual(expect.objectContaining({ tags: [`${model}:latest`], engine: 'webllm' }));

  const second = await open('/models');
  const answer = await fetchIn(second, '/engines/webllm/v1/chat/completions', {
    model,
    stream: true,
    temperature: 0,
    messages: [{ role: 'user', content: 'Count to 5.' }],
  });
  expect(textOf(answer.text)).toBe('1, 2, 3, 4, 5');
  const runners = JSON.parse((await fetchIn(page, '/engines/ps')).text) as object[];
  expect(runners).toContainEqual(expect.objectContaining({ backend_name: 'webllm', model_name: model }));
  await registry.close();
});
