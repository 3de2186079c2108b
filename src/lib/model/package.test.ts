import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { entry, ggufBytes, utf8 } from '#tests/support/registry/gguf-bytes.ts';
import { readArtifact } from './artifact.ts';
import { describeModel } from './facts.ts';
import { parseGgufHeader } from './gguf.ts';
import { mediaTypes } from './manifest.ts';
import { packageModel, type ModelPackage, type PackagedFile, type PackagedWeights } from './package.ts';

const createdAtMs = Date.UTC(2025, 1, 7, 7, 2, 44);

async function shard(name: string, dimensions: readonly number[]): Promise<PackagedWeights> {
  const bytes = ggufBytes({
    entries: [
      entry.text('general.architecture', 'llama'),
      entry.text('general.name', 'Tiny'),
      entry.u32('general.file_type', 15),
      entry.u32('llama.context_length', 4096),
    ],
    tensors: [{ name: 't', dimensions }],
    weightBytes: 2048,
  });
  return {
    name,
    digest: await sha256(bytes),
    sizeBytes: bytes.byteLength,
    header: await parseGgufHeader(bytes),
  };
}

async function file(name: string, content = name): Promise<PackagedFile> {
  const bytes = utf8(content);
  return { name, digest: await sha256(bytes), sizeBytes: bytes.byteLength };
}

const describePackage = ({ id, manifestBytes, configBytes }: ModelPackage) =>
  describeModel({ id, tags: [], manifest: manifestBytes, config: configBytes });
const decoded = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

describe('packageModel', () => {
  it('makes a model that this build runs, with the facts of all shards', async () => {
    const first = await shard('m-00001-of-00002.gguf', [100, 10]);
    const second = await shard('m-00002-of-00002.gguf', [500]);
    const made = await packageModel({ weights: [first, second], createdAtMs });

    const artifact = readArtifact(made.manifest, made.configBytes);
    expect(artifact).toMatchObject({ packaging: 'docker-v0.1', engine: 'llama.cpp' });
    expect(artifact.layers.map(({ descriptor }) => descriptor.digest)).toEqual([first.digest, second.digest]);
    expect(describePackage(made)).toMatchObject({
      created: createdAtMs / 1000,
      config: {
        format: 'gguf',
        quantization: 'MOSTLY_Q4_K_M',
        parameters: '1.50K',
        architecture: 'llama',
        size: '4.00KiB',
        context_size: 4096,
      },
    });
    expect(made.manifest.layers[1]?.annotations).toEqual({
      'org.cncf.model.filepath': 'm-00002-of-00002.gguf',
    });
  });

  it.each(['docker', 'cncf'] as const)(
    'gives the same bytes and ID for the same files (%s)',
    async (format) => {
      const weights = [await shard('m.gguf', [8])] as const;
      const licenses = [await file('LICENSE')];
      const once = await packageModel({ format, weights, licenses, createdAtMs });
      expect(await packageModel({ format, weights, licenses, createdAtMs })).toEqual(once);
      expect(once.id).toBe(await sha256(once.manifestBytes));
      expect(new TextDecoder().decode(once.configBytes)).toContain('"2025-02-07T07:02:44Z"');
    },
  );

  it.each(['docker', 'cncf'] as const)('keeps every file it is given (%s)', async (format) => {
    const made = await packageModel({
      format,
      weights: [await shard('m.gguf', [8])],
      licenses: [await file('LICENSE', 'one'), await file('LICENSE', 'two'), await file('apache.txt')],
      projector: await file('projector.gguf'),
      chatTemplate: await file('prompt.txt'),
      createdAtMs,
    });
    const { layers, engine } = readArtifact(made.manifest, made.configBytes);
    expect(engine).toBe('llama.cpp');
    expect(layers.map(({ role }) => role)).toEqual([
      'weights',
      'license',
      'license',
      'license',
      'projector',
      'template',
    ]);
    expect(new Set(layers.map(({ path }) => path)).size).toBe(6);
  });

  it('takes a context size instead of the trained one', async () => {
    const weights = [await shard('m.gguf', [8])] as const;
    const made = await packageModel({ weights, contextSize: 1024, createdAtMs });
    expect(describePackage(made).config.context_size).toBe(1024);
    await expect(packageModel({ weights, contextSize: 0, createdAtMs })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'context_size',
    });
  });

  it('writes ModelPack as its specification has it', async () => {
    const weights = await shard('m.gguf', [500]);
    const template = await file('chat_template.jinja');
    const made = await packageModel({
      format: 'cncf',
      weights: [weights],
      chatTemplate: template,
      createdAtMs,
    });
    expect(decoded(made.configBytes)).toEqual({
      descriptor: { createdAt: '2025-02-07T07:02:44Z', name: 'Tiny' },
      modelfs: { type: 'layers', diffIds: [weights.digest, template.digest] },
      config: { architecture: 'llama', format: 'gguf', paramSize: '500', quantization: 'MOSTLY_Q4_K_M' },
    });
    const manifest = decoded(made.manifestBytes);
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: 'application/vnd.cncf.model.manifest.v1+json',
      config: { mediaType: 'application/vnd.cncf.model.config.v1+json' },
      layers: [
        { mediaType: 'application/vnd.cncf.model.weight.v1.raw' },
        { mediaType: 'application/vnd.cncf.model.weight.config.v1.raw' },
      ],
    });
    const { annotations } = manifest.layers[0];
    expect(annotations['org.cncf.model.filepath']).toBe('m.gguf');
    expect(JSON.parse(annotations['org.cncf.model.file.metadata+json'])).toEqual({
      name: 'm.gguf',
      mode: 420,
      uid: 0,
      gid: 0,
      size: weights.sizeBytes,
      mtime: '1970-01-01T00:00:00Z',
      typeflag: 48,
    });
    expect(describePackage(made)).toMatchObject({
      created: createdAtMs / 1000,
      config: { format: 'gguf', architecture: 'llama', parameters: '500' },
    });
  });

  it('says that ModelPack cannot hold a context size', async () => {
    const weights = [await shard('m.gguf', [8])] as const;
    await expect(
      packageModel({ format: 'cncf', weights, contextSize: 1024, createdAtMs }),
    ).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'context_size',
      message: expect.stringContaining('ModelPack'),
    });
  });

  it.each(['../m.gguf', '/m.gguf', 'a\\m.gguf', ''])('refuses the file name %j', async (name) => {
    await expect(packageModel({ weights: [await shard(name, [8])], createdAtMs })).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });
});
