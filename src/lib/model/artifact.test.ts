import { describe, expect, it } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { judgeArtifact } from './artifact.ts';
import { mediaTypes, type Descriptor, type Manifest } from './manifest.ts';

let serial = 0;
const layer = (mediaType: string): Descriptor => {
  const digest: Digest = `sha256:${String(serial++).padStart(64, '0')}`;
  return { mediaType, digest, size: 10 };
};
const manifest = (configType: string, ...layers: Descriptor[]): Manifest => ({
  schemaVersion: 2,
  config: layer(configType),
  layers,
});
const config = (format?: string) => new TextEncoder().encode(JSON.stringify({ config: { format } }));

describe('judgeArtifact', () => {
  it('takes one GGUF file', () => {
    const weights = layer(mediaTypes.gguf);
    expect(judgeArtifact(manifest(mediaTypes.configV01, weights), config('gguf'))).toEqual({
      weights: [weights],
      chatTemplate: undefined,
      notes: [],
    });
  });

  it('takes shards in the order of the layers, a template, and leaves the rest of a v0.1 model alone', () => {
    const [first, second] = [layer(mediaTypes.gguf), layer(mediaTypes.gguf)];
    const template = layer(mediaTypes.chatTemplate);
    const judged = judgeArtifact(
      manifest(mediaTypes.configV01, layer(mediaTypes.license), first, template, layer('x/y'), second),
      config('gguf'),
    );
    expect(judged).toEqual({ weights: [first, second], chatTemplate: template, notes: [] });
  });

  it('takes a config that does not name the format', () => {
    expect(
      judgeArtifact(manifest(mediaTypes.configV01, layer(mediaTypes.gguf)), config()).weights,
    ).toHaveLength(1);
  });

  it('runs a vision model for text and says so', () => {
    const vision = manifest(mediaTypes.configV01, layer(mediaTypes.gguf), layer(mediaTypes.mmproj));
    expect(judgeArtifact(vision, config('gguf')).notes).toEqual([expect.stringContaining('text only')]);
  });

  it.each([
    ['v0.2', manifest(mediaTypes.configV02, layer('application/vnd.docker.ai.safetensors')), 'v0.2'],
    ['ModelPack', manifest(mediaTypes.configModelPack), 'ModelPack'],
    ['a container image', manifest('application/vnd.oci.image.config.v1+json'), 'container image'],
    ['a Docker image', manifest('application/vnd.docker.container.image.v1+json'), 'container image'],
    ['an unknown artifact', manifest('application/x-wasm'), '“application/x-wasm”'],
    ['an artifact by its type', { ...manifest('x/empty'), artifactType: 'x/signature' }, '“x/signature”'],
    ['an empty config type', manifest(''), 'not a model'],
    [
      'safetensors in v0.1',
      manifest(mediaTypes.configV01, layer('application/vnd.docker.ai.safetensors')),
      'safetensors',
    ],
    ['a diffusion model', manifest(mediaTypes.configV01, layer('application/vnd.docker.ai.dduf')), 'DDUF'],
    ['no weights', manifest(mediaTypes.configV01), 'no GGUF file'],
    [
      'two templates',
      manifest(
        mediaTypes.configV01,
        layer(mediaTypes.gguf),
        ...Array.from({ length: 2 }, () => layer(mediaTypes.chatTemplate)),
      ),
      'more than one chat template',
    ],
  ])('refuses %s, naming it and what would work', (_, refused, name) => {
    expect(() => judgeArtifact(refused, config())).toThrow(name);
    expect(() => judgeArtifact(refused, config())).toThrow('Pull a variant that is packaged as GGUF');
    expect(() => judgeArtifact(refused, config())).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  });

  it('believes the config when it names another format', () => {
    expect(() =>
      judgeArtifact(manifest(mediaTypes.configV01, layer(mediaTypes.gguf)), config('diffusers')),
    ).toThrow('“diffusers”');
  });
});
