import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { utf8 } from '#tests/support/registry/gguf-bytes.ts';
import { readArtifact } from './artifact.ts';
import { describeModel } from './facts.ts';
import { mediaTypes } from './manifest.ts';
import { packageFiles, type FolderFile } from './package-files.ts';

const file = async (path: string): Promise<FolderFile> => ({
  path,
  digest: await sha256(utf8(path)),
  sizeBytes: path.length,
});
const facts = {
  format: 'mlc',
  architecture: 'llama',
  quantization: 'q0f32',
  parameters: '393.86K',
  contextSize: 2048,
  createdAtMs: Date.UTC(2026, 0, 1),
};
const mlcFolder = () =>
  Promise.all(
    [
      'mlc-chat-config.json',
      'tensor-cache.json',
      'params_shard_0.bin',
      'tokenizer.json',
      'model.wasm',
      'LICENSE',
    ].map(file),
  );

describe('packageFiles', () => {
  it('makes an MLC folder a model for WebLLM', async () => {
    const made = await packageFiles(await mlcFolder(), facts);
    expect(readArtifact(made.manifest, made.configBytes)).toMatchObject({
      packaging: 'docker-v0.2',
      format: 'mlc',
      engine: 'webllm',
    });
    expect(
      describeModel({ id: made.id, tags: [], manifest: made.manifestBytes, config: made.configBytes }),
    ).toMatchObject({
      created: facts.createdAtMs / 1000,
      config: {
        format: 'mlc',
        architecture: 'llama',
        quantization: 'q0f32',
        parameters: '393.86K',
        size: '18B',
        context_size: 2048,
      },
    });
  });

  it('gives the same ID in whatever order the files are listed', async () => {
    const files = await mlcFolder();
    expect((await packageFiles(files.toReversed(), facts)).id).toBe((await packageFiles(files, facts)).id);
  });

  it('gives each kind of file its media type, and keeps folders', async () => {
    const paths = [
      'a/model.gguf',
      'b/model.safetensors',
      'c.dduf',
      'chat_template.jinja',
      'mmproj.gguf',
      'x/config.json',
    ];
    const made = await packageFiles(await Promise.all(paths.map(file)), { ...facts, format: 'gguf' });
    expect(
      made.manifest.layers.map(({ mediaType, annotations }) => [
        mediaType,
        annotations?.['org.cncf.model.filepath'],
      ]),
    ).toEqual([
      [mediaTypes.gguf, 'a/model.gguf'],
      [mediaTypes.safetensors, 'b/model.safetensors'],
      [mediaTypes.dduf, 'c.dduf'],
      [mediaTypes.chatTemplate, 'chat_template.jinja'],
      [mediaTypes.mmproj, 'mmproj.gguf'],
      [mediaTypes.modelFile, 'x/config.json'],
    ]);
  });

  it('keeps a role that it is told', async () => {
    const made = await packageFiles([{ ...(await file('terms.txt')), role: 'license' }], facts);
    expect(readArtifact(made.manifest, made.configBytes).layers[0]?.role).toBe('license');
  });

  it.each([
    ['a path that leads out', ['../x']],
    ['two files of one path', ['x', 'x']],
    ['a file where a folder is', ['x', 'x/y']],
  ])('refuses %s', async (_, paths) => {
    await expect(packageFiles(await Promise.all(paths.map(file)), facts)).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });
});
