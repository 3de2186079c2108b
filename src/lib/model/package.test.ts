import { describe, expect, it } from 'vitest';
import { sha256 } from '#lib/core/digest.ts';
import { entry, ggufBytes } from '#tests/support/registry/gguf-bytes.ts';
import { judgeArtifact } from './artifact.ts';
import { describeModel } from './facts.ts';
import { parseGgufHeader } from './gguf.ts';
import { packageModel, type PackagedWeights } from './package.ts';

const createdAtMs = Date.UTC(2025, 1, 7, 7, 2, 44);

async function shard(name: string, dimensions: readonly number[]): Promise<PackagedWeights> {
  const bytes = ggufBytes({
    entries: [
      entry.text('general.architecture', 'llama'),
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

describe('packageModel', () => {
  it('makes a model that this build runs, with the facts of all shards', async () => {
    const weights = [
      await shard('m-00001-of-00002.gguf', [100, 10]),
      await shard('m-00002-of-00002.gguf', [500]),
    ];
    const [first, second] = weights;
    if (!first || !second) throw new Error('two shards were made');
    const made = await packageModel({ weights: [first, second], createdAtMs });

    expect(judgeArtifact(made.manifest, made.configBytes).weights.map((layer) => layer.digest)).toEqual(
      weights.map((file) => file.digest),
    );
    const model = describeModel({
      id: made.id,
      tags: [],
      manifest: made.manifestBytes,
      config: made.configBytes,
    });
    expect(model).toMatchObject({
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

  it('gives the same bytes and the same ID for the same files', async () => {
    const weights = [await shard('m.gguf', [8])] as const;
    const once = await packageModel({ weights, createdAtMs });
    expect(await packageModel({ weights, createdAtMs })).toEqual(once);
    expect(once.id).toBe(await sha256(once.manifestBytes));
    expect(new TextDecoder().decode(once.configBytes)).toContain('"created":"2025-02-07T07:02:44Z"');
  });

  it('adds a chat template as its own layer', async () => {
    const chatTemplate = {
      name: 'chat_template.jinja',
      digest: await sha256(new Uint8Array(3)),
      sizeBytes: 3,
    };
    const made = await packageModel({ weights: [await shard('m.gguf', [8])], chatTemplate, createdAtMs });
    expect(judgeArtifact(made.manifest, made.configBytes).chatTemplate?.digest).toBe(chatTemplate.digest);
  });
});
