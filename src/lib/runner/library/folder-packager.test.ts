import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import type { LocalModelJson, ModelDetailJson } from '#lib/model/wire.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { buildFolderArtifact } from '#tests/support/registry/artifact.ts';
import { bytesOf, makeBench as makeSmallBench, type Bench } from '#tests/support/runner-bench.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const names = [
  'mlc-chat-config.json',
  'tensor-cache.json',
  'tokenizer.json',
  'params_shard_0.bin',
  'params_shard_1.bin',
  'params_shard_2.bin',
] as const;
const read = async (name: string): Promise<Bytes> =>
  new Uint8Array(await readFile(`tests/fixtures/tiny-mlc/${name}`));

const makeBench = () => makeSmallBench({ store: new MemoryBlobStore({ clock: new ManualClock() }) });

async function sent(bench: Bench, paths: readonly string[]): Promise<{ digest: Digest; path: string }[]> {
  const files = [];
  for (const path of paths) {
    const body = await read(path);
    const response = await bench.call('/_sampan/blobs', undefined, { method: 'POST', body });
    files.push({ digest: ((await response.json()) as { digest: Digest }).digest, path });
  }
  return files;
}

function pack(bench: Bench, fields: object): Promise<Response> {
  return bench.call('/_sampan/package', { target: 'my/mlc', format: 'docker', ...fields });
}

it('makes a model of a whole folder, the same one every time', async () => {
  const bench = makeBench();
  const files = await sent(bench, [...names, 'model.wasm']);
  const response = await pack(bench, { files, created_ms: 1 });
  expect(response.status).toBe(201);
  const model = (await response.json()) as LocalModelJson;
  expect(model).toMatchObject({
    tags: ['docker.io/my/mlc:latest'],
    engine: 'webllm',
    config: { format: 'mlc', quantization: 'q0f32', architecture: 'llama', context_size: 2048 },
  });
  const again = await pack(bench, { target: 'my/same', files: files.toReversed(), created_ms: 1 });
  expect(((await again.json()) as LocalModelJson).id).toBe(model.id);
});

it('takes the library from another model when the folder has none', async () => {
  const bench = makeBench();
  const facts = { format: 'mlc', architecture: 'llama', quantization: 'q0f32', parameters: '' };
  const library = await read('model.wasm');
  const listed = await buildFolderArtifact(
    new Map([
      ['mlc-chat-config.json', bytesOf('{}')],
      ['tiny-webgpu.wasm', library],
    ]),
    facts,
  );
  bench.registry.models.set('localhost:5000/mlc-ai/tiny:latest', listed);
  const files = await sent(bench, names);
  const response = await pack(bench, { files, library_from: 'localhost:5000/mlc-ai/tiny' });
  expect(response.status).toBe(201);
  expect(bench.registry.asked).toEqual([{ from: 0, to: library.byteLength }]);
  await bench.call('/_sampan/prune', '');
  const detail = (await (await bench.call('/_sampan/models/my/mlc')).json()) as ModelDetailJson;
  expect(detail.files.find(({ role }) => role === 'library')).toMatchObject({
    path: 'tiny-webgpu.wasm',
    size_bytes: library.byteLength,
    stored: true,
  });
});

it('refuses a library that is not what the other model says', async () => {
  const bench = makeBench();
  const facts = { format: 'mlc', architecture: 'llama', quantization: 'q0f32', parameters: '' };
  const listed = await buildFolderArtifact(new Map([['a.wasm', bytesOf('right')]]), facts);
  bench.registry.models.set('localhost:5000/mlc-ai/tiny:latest', listed);
  bench.registry.serve = () => ({ from: 0, stream: new Blob(['wrong']).stream() });
  const response = await pack(bench, {
    files: await sent(bench, names),
    library_from: 'localhost:5000/mlc-ai/tiny',
  });
  expect(await response.json()).toMatchObject({ error: { code: 'digest_mismatch' } });
});

it.each([
  ['files of no MLC model', { files: [] }, 'unsupported_model_format'],
  [
    'a file that was never sent',
    { files: [{ path: 'x', digest: `sha256:${'0'.repeat(64)}` }] },
    'invalid_request',
  ],
  ['a folder and a model', { files: [], from: 'ai/x' }, 'invalid_request'],
  ['ModelPack', { files: [], format: 'cncf' }, 'unsupported_parameter'],
])('refuses %s', async (_, fields, code) => {
  const response = await pack(makeBench(), fields);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code } });
});

it('refuses a path that leads out of the model', async () => {
  const bench = makeBench();
  const [config] = await sent(bench, ['mlc-chat-config.json']);
  const response = await pack(bench, { files: [config, { ...config, path: '../x' }] });
  expect(await response.json()).toMatchObject({ error: { code: 'unsupported_model_format' } });
});
