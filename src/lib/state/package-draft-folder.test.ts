import { readdir, readFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { parseMlcList, type MlcListEntry } from '#lib/model/mlc-list.ts';
import { readMlcFolder, type PickedFile } from './package-draft-folder.ts';

const fixture = 'tests/fixtures/tiny-mlc';
const whole: readonly PickedFile[] = await Promise.all(
  (await readdir(fixture)).map(async (name) => ({
    path: name,
    file: new File([new Uint8Array(await readFile(`${fixture}/${name}`))], name),
  })),
);
const noList = () => Promise.reject(new Error('not asked for'));
const without = (name: string) => whole.filter(({ path }) => path !== name);
const inside = (folder: string, files = whole) =>
  files.map(({ path, file }) => ({ path: `${folder}/${path}`, file }));
const extra = (path: string, text = 'x'): PickedFile => ({ path, file: new File([text], path) });
const paths = (files: readonly PickedFile[]) => files.map(({ path }) => path).toSorted();

const listed: readonly MlcListEntry[] = parseMlcList(
  JSON.stringify({
    models: [
      {
        model_id: 'Tiny-q0f32-MLC',
        repository: 'mlc-ai/Tiny-q0f32-MLC',
        library: 'https://example.com/tiny.wasm',
        kind: 'llm',
        vram_bytes: 1,
        required_features: [],
        low_resource: true,
      },
    ],
  }),
);

it('takes what the model needs, wherever in what was picked its folder is', async () => {
  const clutter = [extra('README.md'), extra('pytorch_model.bin'), extra('.gitattributes')];
  const folder = await readMlcFolder(inside('models/Tiny-q0f32-MLC', [...whole, ...clutter]), noList);
  expect(folder).toMatchObject({
    name: 'Tiny-q0f32-MLC',
    architecture: 'llama',
    quantization: 'q0f32',
    library: { kind: 'own', path: 'model.wasm' },
  });
  expect(paths(folder.files)).toEqual(paths(whole));
  expect(folder.sizeBytes).toBe(whole.reduce((sum, { file }) => sum + file.size, 0));
});

it('takes the one library that is for this version of WebLLM', async () => {
  const others = [extra('a-v0_2_40-webgpu.wasm'), extra('a-v0_2_86-webgpu.wasm')];
  const { files } = await readMlcFolder([...whole, ...others], noList);
  expect(paths(files).filter((path) => path.endsWith('.wasm'))).toEqual(['a-v0_2_86-webgpu.wasm']);
});

it('finds a missing library in the list by the name of the folder', async () => {
  const list = vi.fn(() => Promise.resolve(listed));
  const bare = without('model.wasm');
  expect((await readMlcFolder(inside('tiny-q0f32-mlc', bare), list)).library).toEqual({
    kind: 'listed',
    reference: 'hf.co/mlc-ai/Tiny-q0f32-MLC',
  });
  expect((await readMlcFolder(inside('something', bare), list)).library).toEqual({ kind: 'none' });
});

it('does not take the library of another quantization', async () => {
  const config = JSON.stringify({ model_type: 'llama', quantization: 'q4f16_1' });
  const files = [
    ...whole.filter(({ path }) => path !== 'model.wasm' && path !== 'mlc-chat-config.json'),
    extra('mlc-chat-config.json', config),
  ];
  const { library } = await readMlcFolder(inside('Tiny-q0f32-MLC', files), () => Promise.resolve(listed));
  expect(library).toEqual({ kind: 'none' });
});

it.each([
  ['mlc-chat-config.json', /has no mlc-chat-config\.json/],
  ['tensor-cache.json', /has no tensor-cache\.json/],
  ['params_shard_1.bin', /lacks params_shard_1\.bin/],
])('says that %s is not there', async (name, message) => {
  await expect(readMlcFolder(without(name), noList)).rejects.toMatchObject({
    code: 'unsupported_model_format',
    message: expect.stringMatching(message) as string,
  });
});

it('says that a file of weights was cut off', async () => {
  const files = [...without('params_shard_0.bin'), extra('params_shard_0.bin')];
  await expect(readMlcFolder(files, noList)).rejects.toThrow(/params_shard_0\.bin in another size/);
});
