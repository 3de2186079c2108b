import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { isModelConfigType, readArtifact, type Artifact } from './artifact.ts';
import { annotations, mediaTypes, parseManifest, type Descriptor, type Manifest } from './manifest.ts';

let serial = 0;
const nextDigest = (): Digest => `sha256:${String(serial++).padStart(64, '0')}`;
const layer = (mediaType: string, path?: string): Descriptor => ({
  mediaType,
  digest: nextDigest(),
  size: 10,
  ...(path === undefined ? {} : { annotations: { [annotations.path]: path } }),
});
const manifest = (configType: string, ...layers: Descriptor[]): Manifest => ({
  schemaVersion: 2,
  config: layer(configType),
  layers,
});
const v01 = (...layers: Descriptor[]) => manifest(mediaTypes.configV01, ...layers);
const v02 = (...layers: Descriptor[]) => manifest(mediaTypes.configV02, ...layers);
const modelPack = (...layers: Descriptor[]) => manifest(mediaTypes.configModelPack, ...layers);
const pack = (type: string, path?: string) => layer(`application/vnd.cncf.model.${type}`, path);
const file = (path: string) => layer(mediaTypes.modelFile, path);
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const config = (format?: string, more: object = {}) => json({ config: { format, ...more } });
const packConfig = (format?: string, diffIds: readonly string[] = []) =>
  json({ config: { paramSize: '1b', architecture: 'transformer', format }, modelfs: { diffIds } });
const paths = (artifact: Artifact) => artifact.layers.map(({ path }) => path);
const roles = (artifact: Artifact) => artifact.layers.map(({ role }) => role);
const refused = expect.objectContaining({ code: 'unsupported_model_format' });

const mlcFiles = [
  'mlc-chat-config.json',
  'tensor-cache.json',
  'params_shard_0.bin',
  'tokenizer.json',
  'model.wasm',
];

describe('readArtifact of Docker v0.1', () => {
  it('takes one GGUF file', () => {
    const weights = layer(mediaTypes.gguf);
    expect(readArtifact(v01(weights), config('gguf', { architecture: 'llama' }))).toEqual({
      packaging: 'docker-v0.1',
      format: 'gguf',
      architecture: 'llama',
      layers: [{ descriptor: weights, role: 'weights', path: 'model.gguf', packing: 'raw' }],
      engine: 'llama.cpp',
      notes: [],
    });
  });

  it('keeps shards in the order of the layers and knows the others by their kind', () => {
    const artifact = readArtifact(
      v01(
        layer(mediaTypes.license),
        layer(mediaTypes.gguf),
        layer(mediaTypes.chatTemplate),
        layer('x/y'),
        layer(mediaTypes.gguf),
        layer(mediaTypes.license),
      ),
      config('gguf'),
    );
    expect(roles(artifact)).toEqual(['license', 'weights', 'template', 'other', 'weights', 'license']);
    expect(paths(artifact)).toEqual([
      'LICENSE',
      'model-00001-of-00002.gguf',
      'template.jinja',
      'file',
      'model-00002-of-00002.gguf',
      'LICENSE-2',
    ]);
    expect(artifact.engine).toBe('llama.cpp');
  });

  it('takes files that have names of their own for the pieces of one model', () => {
    const artifact = readArtifact(
      v01(layer(mediaTypes.gguf, 'b'), layer(mediaTypes.gguf, 'a')),
      config('gguf'),
    );
    expect(paths(artifact)).toEqual(['b', 'a']);
    expect(artifact.engine).toBe('llama.cpp');
  });

  it('lets two licences have one name', () => {
    const artifact = readArtifact(
      v01(layer(mediaTypes.gguf), layer(mediaTypes.license, 'LICENSE'), layer(mediaTypes.license, 'LICENSE')),
      config('gguf'),
    );
    expect(paths(artifact)).toEqual(['model.gguf', 'LICENSE', 'LICENSE-2']);
  });

  it.each([
    [mediaTypes.mmproj, 'projector'],
    [mediaTypes.draftMmproj, 'projector'],
    [mediaTypes.lora, 'adapter'],
  ])('knows what comes with the weights: %s', (type, role) => {
    const artifact = readArtifact(v01(layer(mediaTypes.gguf), layer(type)), config('gguf'));
    expect(artifact).toMatchObject({ engine: 'llama.cpp', notes: [] });
    expect(roles(artifact)).toEqual(['weights', role]);
  });

  it('unpacks the archive of configs that older models have', () => {
    const artifact = readArtifact(v01(layer(mediaTypes.gguf), layer(mediaTypes.configTar)), config('gguf'));
    expect(artifact.layers[1]).toMatchObject({ packing: 'tar', role: 'config', path: 'files.tar' });
    expect(artifact.engine).toBe('llama.cpp');
  });

  it('takes a config that does not name the format', () => {
    expect(readArtifact(v01(layer(mediaTypes.gguf)), config()).engine).toBe('llama.cpp');
  });
});

describe('readArtifact of Docker v0.2', () => {
  it('knows files by media type or by name', () => {
    const artifact = readArtifact(
      v02(
        layer(mediaTypes.gguf, 'q4/model.gguf'),
        layer(mediaTypes.chatTemplate, 'chat_template.jinja'),
        file('tokenizer.json'),
        file('config.json'),
        file('LICENSE'),
        file('README.md'),
        file('run.sh'),
      ),
      config('gguf'),
    );
    expect(roles(artifact)).toEqual([
      'weights',
      'template',
      'tokenizer',
      'config',
      'license',
      'document',
      'other',
    ]);
    expect(artifact).toMatchObject({ packaging: 'docker-v0.2', format: 'gguf', engine: 'llama.cpp' });
  });

  it.each([undefined, 'safetensors', 'mlc'])(
    'knows an MLC model by its files when the config says %s',
    (format) => {
      const artifact = readArtifact(v02(...mlcFiles.map(file)), config(format));
      expect(artifact).toMatchObject({ format: 'mlc', engine: 'webllm' });
      expect(roles(artifact)).toEqual(['config', 'config', 'weights', 'tokenizer', 'library']);
    },
  );

  it('knows an older MLC model by its ndarray-cache.json', () => {
    const files = mlcFiles.map((path) => file(path.replace('tensor-cache', 'ndarray-cache')));
    expect(readArtifact(v02(...files), config()).engine).toBe('webllm');
  });

  it.each([
    ['model.wasm', 'model library'],
    ['tokenizer.json', 'a tokenizer'],
  ])('says what is missing when an MLC model has no %s', (absent, named) => {
    const artifact = readArtifact(v02(...mlcFiles.filter((path) => path !== absent).map(file)), config());
    expect(artifact.format).toBe('mlc');
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain(named);
  });

  it('wants to know which of several GGUF files is meant', () => {
    const several = v02(layer(mediaTypes.gguf, 'q4.gguf'), layer(mediaTypes.gguf, 'q8.gguf'));
    expect(readArtifact(several, config('gguf')).obstacle).toContain('several GGUF files');
  });

  it('takes all pieces of a split model, in any order', () => {
    const pieces = ['m-00002-of-00002.gguf', 'm-00001-of-00002.gguf'].map((path) =>
      layer(mediaTypes.gguf, path),
    );
    expect(readArtifact(v02(...pieces), config('gguf')).engine).toBe('llama.cpp');
  });

  it.each([
    ['one is missing', ['m-00001-of-00003.gguf', 'm-00003-of-00003.gguf'], '3 files and 2 of them'],
    ['one is of another model', ['m-00001-of-00002.gguf', 'n-00002-of-00002.gguf'], 'several GGUF files'],
    ['there is another model', ['m-00001-of-00001.gguf', 'n.gguf'], 'several GGUF files'],
    ['the numbers are off', ['m-00000-of-00002.gguf', 'm-00001-of-00002.gguf'], 'split into 2 files'],
  ])('says so when of a split model %s', (_, names, why) => {
    const artifact = readArtifact(v02(...names.map((path) => layer(mediaTypes.gguf, path))), config('gguf'));
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain(why);
  });
});

describe('readArtifact of ModelPack', () => {
  it('knows files by the kind of layer and by name', () => {
    const artifact = readArtifact(
      modelPack(
        pack('weight.v1.raw', 'model.gguf'),
        pack('weight.v1.raw', 'mmproj-f16.gguf'),
        pack('weight.config.v1.raw', 'chat_template.jinja'),
        pack('weight.config.v1.raw', 'tokenizer.json'),
        pack('weight.config.v1.raw', 'generation.conf'),
        pack('doc.v1.raw', 'LICENSE'),
        pack('doc.v1.raw', 'notes'),
        pack('code.v1.raw', 'run.py'),
        pack('dataset.v1.raw', 'data.json'),
      ),
      packConfig('gguf'),
    );
    expect(roles(artifact)).toEqual([
      'weights',
      'projector',
      'template',
      'tokenizer',
      'config',
      'license',
      'document',
      'other',
      'other',
    ]);
    expect(artifact).toMatchObject({ packaging: 'modelpack', format: 'gguf', engine: 'llama.cpp' });
  });

  it.each([
    ['old spelling', [pack('weight.v1.gguf', 'weights')], undefined],
    ['name', [pack('weight.v1.raw', 'x.gguf')], undefined],
    ['config', [pack('weight.v1.raw')], 'gguf'],
  ])('tells GGUF by its %s', (_, layers, format) => {
    expect(readArtifact(modelPack(...layers), packConfig(format))).toMatchObject({
      format: 'gguf',
      engine: 'llama.cpp',
    });
  });

  it('does not judge by the word for the architecture, which is free text', () => {
    const artifact = readArtifact(modelPack(pack('weight.v1.raw', 'x.gguf')), packConfig('gguf'));
    expect(artifact).toMatchObject({ architecture: '', engine: 'llama.cpp' });
  });

  it('leaves it to the unpacked files when nothing says what is in an archive', () => {
    const artifact = readArtifact(modelPack(pack('weight.v1.tar', 'model')), packConfig());
    expect(artifact).toMatchObject({ format: 'unknown', layers: [{ packing: 'tar', role: 'weights' }] });
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toBeUndefined();
    expect(artifact.notes).toEqual([expect.stringContaining('once it is unpacked')]);
  });

  it('believes the config about what is in an archive', () => {
    const tar = modelPack(pack('weight.v1.tar'));
    expect(readArtifact(tar, packConfig('gguf')).engine).toBe('llama.cpp');
    expect(readArtifact(tar, packConfig('mlc')).engine).toBe('webllm');
    expect(readArtifact(tar, packConfig('safetensors')).obstacle).toContain('safetensors');
  });

  it('knows the digest of the archive inside a compressed one', () => {
    const unpacked = nextDigest();
    const layers = modelPack(pack('weight.v1.tar+gzip'), pack('doc.v1.raw', 'LICENSE'));
    const artifact = readArtifact(layers, packConfig('gguf', [unpacked, nextDigest()]));
    expect(artifact.layers[0]).toMatchObject({ packing: 'tar+gzip', unpacked, path: 'files.tar.gz' });
    expect(artifact.layers[1]).not.toHaveProperty('unpacked');
    expect(artifact.engine).toBe('llama.cpp');
  });

  it.each([
    ['a list that is too short', []],
    ['a digest that cannot be checked', [`sha512:${'a'.repeat(128)}`]],
  ])('does not run what it cannot check: %s', (_, diffIds) => {
    const artifact = readArtifact(modelPack(pack('weight.v1.tar+gzip')), packConfig('gguf', diffIds));
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain('checksums of its unpacked files');
  });

  it('says that it cannot unpack zstd', () => {
    const artifact = readArtifact(modelPack(pack('weight.v1.tar+zstd', 'model.gguf')), packConfig('gguf'));
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain('zstd');
  });
});

describe('readArtifact of a model that nothing here runs', () => {
  it.each([
    [
      'safetensors',
      v02(layer(mediaTypes.safetensors, 'model.safetensors')),
      config('safetensors'),
      'safetensors weights',
    ],
    ['safetensors in v0.1', v01(layer(mediaTypes.safetensors)), config(), 'safetensors weights'],
    [
      'safetensors that claim to be GGUF',
      v01(layer(mediaTypes.safetensors)),
      config('gguf'),
      'safetensors weights',
    ],
    ['a DDUF model', v01(layer(mediaTypes.dduf)), config(), 'DDUF'],
    ['a DDUF model that claims to be GGUF', v01(layer(mediaTypes.dduf)), config('gguf'), 'DDUF'],
    ['a diffusion model', v01(layer(mediaTypes.gguf)), config('diffusers'), '“diffusers”'],
    ['another format', v01(layer(mediaTypes.gguf)), config('onnx'), '“onnx”'],
    ['no weights', v01(), config(), 'no weights'],
    ['no weights under a name', v01(layer(mediaTypes.license)), config('gguf'), 'no weights'],
    ['an adapter alone', v01(layer(mediaTypes.lora)), config('gguf'), 'LoRA adapter'],
  ])('names %s and what would work', (_, judged, bytes, name) => {
    const artifact = readArtifact(judged, bytes);
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain(name);
    expect(artifact.obstacle).toContain('Pull a variant that is packaged as GGUF instead.');
  });

  it.each([
    ['architecture', { architecture: 'brandnew' }],
    ['header', { architecture: 'llama', gguf: { 'general.architecture': 'brandnew' } }],
  ])('says that llama.cpp does not know the architecture that the %s names', (_, facts) => {
    const artifact = readArtifact(v01(layer(mediaTypes.gguf)), config('gguf', facts));
    expect(artifact.engine).toBeUndefined();
    expect(artifact.obstacle).toContain('“brandnew”');
    expect(artifact.obstacle).toContain('update Sampan');
  });
});

describe('readArtifact refuses', () => {
  it.each([
    ['a container image', manifest('application/vnd.oci.image.config.v1+json'), 'container image'],
    ['a Docker image', manifest('application/vnd.docker.container.image.v1+json'), 'container image'],
    ['an unknown artifact', manifest('application/x-wasm'), '“application/x-wasm”'],
    ['an artifact by its type', { ...manifest('x/empty'), artifactType: 'x/signature' }, '“x/signature”'],
    ['an empty config type', manifest(''), 'not a model'],
  ])('%s, naming it', (_, judged, name) => {
    expect(() => readArtifact(judged, config())).toThrow(refused);
    expect(() => readArtifact(judged, config())).toThrow(name);
    expect(() => readArtifact(judged, config())).toThrow('Pull a variant that is packaged as GGUF');
  });

  it.each([
    [
      'two templates',
      [layer(mediaTypes.chatTemplate), layer(mediaTypes.chatTemplate)],
      'more than one chat template',
    ],
    [
      'two projectors',
      [layer(mediaTypes.mmproj), layer(mediaTypes.draftMmproj)],
      'more than one vision projector',
    ],
  ])('%s', (_, layers, why) => {
    expect(() => readArtifact(v01(layer(mediaTypes.gguf), ...layers), config('gguf'))).toThrow(why);
  });

  it('two templates by name', () => {
    const two = v02(layer(mediaTypes.gguf, 'm.gguf'), file('a.jinja'), file('b.jinja'));
    expect(() => readArtifact(two, config('gguf'))).toThrow('more than one chat template');
  });

  it.each(['../../etc/passwd', 'a/../../b', '/etc/passwd', 'a\\b', 'a\u0000b', 'C:/x', 'a//b'])(
    'the path %j in every format',
    (path) => {
      expect(() => readArtifact(v01(layer(mediaTypes.gguf, path)), config())).toThrow(refused);
      expect(() => readArtifact(v02(file(path)), config())).toThrow(refused);
      expect(() => readArtifact(modelPack(pack('weight.v1.raw', path)), packConfig())).toThrow(refused);
      expect(() => readArtifact(modelPack(pack('weight.v1.tar', path)), packConfig())).toThrow(refused);
    },
  );

  it('two files of one path, where paths count', () => {
    expect(() => readArtifact(v02(file('a.json'), file('./a.json')), config())).toThrow('two files');
    expect(() =>
      readArtifact(modelPack(pack('doc.v1.raw', 'a'), pack('doc.v1.raw', 'a/b')), packConfig()),
    ).toThrow('of a folder');
  });

  it('nothing but with an ApiError', () => {
    const anyLayer = fc.record({
      mediaType: fc.oneof(fc.constantFrom(...Object.values(mediaTypes)), fc.string()),
      digest: fc.constant(`sha256:${'a'.repeat(64)}`),
      size: fc.nat(),
      annotations: fc.record({ [annotations.path]: fc.string() }, { requiredKeys: [] }),
    });
    const anyManifest = fc.record({
      schemaVersion: fc.constant(2),
      config: fc.record({
        mediaType: fc.constantFrom(
          mediaTypes.configV01,
          mediaTypes.configV02,
          mediaTypes.configModelPack,
          'x/y',
        ),
        digest: fc.constant(`sha256:${'a'.repeat(64)}`),
        size: fc.nat(),
      }),
      layers: fc.array(anyLayer),
    });
    fc.assert(
      fc.property(anyManifest, fc.record({ config: fc.object() }), (document, facts) => {
        try {
          const parsed = parseManifest(json(document));
          if (parsed.kind === 'manifest') readArtifact(parsed.manifest, json(facts));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('isModelConfigType', () => {
  it.each([
    [mediaTypes.configV01, true],
    [mediaTypes.configV02, true],
    [mediaTypes.configModelPack, true],
    ['application/vnd.oci.image.config.v1+json', false],
  ])('of %s is %s', (type, expected) => {
    expect(isModelConfigType(type)).toBe(expected);
  });
});
