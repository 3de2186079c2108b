import { describe, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { entry, ggufBytes, utf8 } from '#tests/support/registry/gguf-bytes.ts';
import { readArtifact } from './artifact.ts';
import { describeModel } from './facts.ts';
import { parseGgufHeader } from './gguf.ts';
import { parseManifest } from './manifest.ts';
import { packageModel, type ModelPackage, type PackagedFile } from './package.ts';
import { repackage, type StoredPackage } from './repackage.ts';

const createdAtMs = Date.UTC(2025, 1, 7);

async function file(name: string, content = name): Promise<PackagedFile> {
  return { name, digest: await sha256(utf8(content)), sizeBytes: content.length };
}

async function base(format: 'docker' | 'cncf'): Promise<ModelPackage> {
  const bytes = ggufBytes({ entries: [entry.text('general.architecture', 'llama')], weightBytes: 64 });
  const weights = {
    name: 'm.gguf',
    digest: await sha256(bytes),
    sizeBytes: bytes.byteLength,
    header: await parseGgufHeader(bytes),
  };
  return packageModel({
    format,
    weights: [weights],
    licenses: [await file('LICENSE')],
    chatTemplate: await file('chat_template.jinja'),
    createdAtMs,
  });
}

const rolesOf = ({ manifest, configBytes }: StoredPackage) =>
  readArtifact(manifest, configBytes).layers.map(({ role }) => role);
const decoded = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
const diffIdsOf = ({ configBytes }: StoredPackage): readonly Digest[] => {
  const { rootfs, modelfs } = decoded(configBytes);
  return rootfs?.diff_ids ?? modelfs.diffIds;
};

describe('repackage', () => {
  it('without a change is the base itself', async () => {
    const model = await base('docker');
    expect(await repackage(model, {})).toEqual(model);
    expect(await repackage(model, { contextSize: undefined })).toEqual(model);
  });

  it('changes the context size and nothing else', async () => {
    const model = await base('docker');
    const made = await repackage(model, { contextSize: 1024 });
    expect(made.id).not.toBe(model.id);
    expect(made.manifest.layers).toEqual(model.manifest.layers);
    expect(decoded(made.configBytes)).toEqual({
      ...decoded(model.configBytes),
      config: { ...decoded(model.configBytes).config, context_size: 1024 },
    });
    const { id, manifestBytes, configBytes } = made;
    expect(describeModel({ id, tags: [], manifest: manifestBytes, config: configBytes }).created).toBe(
      createdAtMs / 1000,
    );
  });

  it('says that ModelPack cannot hold a context size, instead of dropping it', async () => {
    await expect(repackage(await base('cncf'), { contextSize: 1024 })).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'context_size',
    });
  });

  it.each(['docker', 'cncf'] as const)('sets, replaces and removes files (%s)', async (format) => {
    const model = await base(format);
    const template = await file('chat_template.jinja', 'another');
    const made = await repackage(model, {
      chatTemplate: { action: 'set', file: template },
      projector: { action: 'set', file: await file('mmproj-f16.gguf') },
      licenses: [await file('LICENSE', 'another')],
    });
    expect(rolesOf(made)).toEqual(['weights', 'license', 'license', 'projector', 'template']);
    expect(made.manifest.layers.at(-1)).toMatchObject({
      digest: template.digest,
      annotations: { 'org.cncf.model.filepath': 'chat_template.jinja' },
    });
    expect(diffIdsOf(made)).toEqual(made.manifest.layers.map(({ digest }) => digest));

    const bare = await repackage(made, {
      chatTemplate: { action: 'remove' },
      projector: { action: 'remove' },
    });
    expect(rolesOf(bare)).toEqual(['weights', 'license', 'license']);
    expect(diffIdsOf(bare)).toHaveLength(3);
  });

  it('gives the same ID for the same change', async () => {
    const change = { licenses: [await file('NOTICE')] };
    const [one, other] = await Promise.all([
      repackage(await base('cncf'), change),
      repackage(await base('cncf'), change),
    ]);
    expect(one).toEqual(other);
  });

  it('keeps what it does not know, and the digests of unpacked layers', async () => {
    const packedLayer = {
      mediaType: 'application/vnd.cncf.model.weight.v1.tar+gzip',
      digest: await sha256(utf8('z')),
      size: 1,
    };
    const unpacked = await sha256(utf8('t'));
    const configBytes = utf8(
      JSON.stringify({
        future: 1,
        config: { paramSize: '1b', format: 'gguf' },
        modelfs: { type: 'layers', diffIds: [unpacked] },
      }),
    );
    const config = {
      mediaType: 'application/vnd.cncf.model.config.v1+json',
      digest: await sha256(configBytes),
      size: configBytes.byteLength,
    };
    const manifestBytes = utf8(JSON.stringify({ schemaVersion: 2, config, layers: [packedLayer] }));
    const document = parseManifest(manifestBytes);
    if (document.kind === 'index') throw new Error('no index was written');
    const model = { manifest: document.manifest, manifestBytes, configBytes };

    const license = await file('LICENSE');
    const made = await repackage(model, { licenses: [license] });
    expect(decoded(made.configBytes)).toMatchObject({
      future: 1,
      modelfs: { diffIds: [unpacked, license.digest] },
    });
    expect(readArtifact(made.manifest, made.configBytes).layers[0]).toMatchObject({
      packing: 'tar+gzip',
      unpacked,
    });
    await expect(repackage(model, { chatTemplate: { action: 'remove' } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
