import { describe, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { readArtifact, type Artifact } from './artifact.ts';
import { ggufFiles, judgeFiles, modelFiles, type OpenBlob } from './files.ts';
import { annotations, mediaTypes, type Descriptor } from './manifest.ts';
import { tarBytes, utf8, type RawEntry } from './tar/testing/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A stored model: its layers and the blobs behind them. */
class Stored {
  readonly blobs = new Map<Digest, Blob>();
  readonly opened: Digest[] = [];

  async add(mediaType: string, bytes: Bytes, path?: string): Promise<Descriptor> {
    const digest = await this.store(bytes);
    const notes = path === undefined ? {} : { annotations: { [annotations.path]: path } };
    return { mediaType, digest, size: bytes.byteLength, ...notes };
  }

  async store(bytes: Bytes): Promise<Digest> {
    const digest = await sha256(bytes);
    this.blobs.set(digest, new Blob([bytes]));
    return digest;
  }

  readonly open: OpenBlob = (digest) => {
    this.opened.push(digest);
    return Promise.resolve(this.blobs.get(digest));
  };
}

const json = (value: unknown) => utf8(JSON.stringify(value));
const configDescriptor = (mediaType: string): Descriptor => ({
  mediaType,
  size: 2,
  digest: `sha256:${'0'.repeat(64)}`,
});
const artifact = (type: string, layers: Descriptor[], config: unknown): Artifact =>
  readArtifact({ schemaVersion: 2, config: configDescriptor(type), layers }, json(config));
const modelPack = (layers: Descriptor[], format?: string, diffIds: readonly Digest[] = []) =>
  artifact(mediaTypes.configModelPack, layers, { config: { format, paramSize: '1b' }, modelfs: { diffIds } });
const tarType = 'application/vnd.cncf.model.weight.v1.tar';
const file = (name: string, content = name): RawEntry => ({ name, body: utf8(content) });
const texts = (blobs: readonly { readonly blob: Blob }[]) =>
  Promise.all(blobs.map(({ blob }) => blob.text()));

describe('modelFiles', () => {
  it('are the layers themselves when these are plain files', async () => {
    const stored = new Stored();
    const weights = await stored.add(mediaTypes.gguf, utf8('weights'));
    const template = await stored.add(mediaTypes.chatTemplate, utf8('template'));
    const model = artifact(mediaTypes.configV01, [weights, template], { config: { format: 'gguf' } });
    const files = await modelFiles(model, stored.open);
    expect(files).toMatchObject([
      { path: 'model.gguf', role: 'weights', layer: weights },
      { path: 'template.jinja', role: 'template', layer: template },
    ]);
    expect(files[0]?.blob).toBe(stored.blobs.get(weights.digest));
  });

  it('are the files inside an archive, by their names', async () => {
    const stored = new Stored();
    const tar = tarBytes(
      { name: './', typeFlag: '5' },
      file('./model.gguf', 'weights'),
      file('chat_template.jinja', 'template'),
      file('sub/LICENSE'),
      file('odd'),
    );
    const model = modelPack([await stored.add(tarType, tar)]);
    const files = await modelFiles(model, stored.open);
    expect(files.map(({ path, role }) => [path, role])).toEqual([
      ['model.gguf', 'weights'],
      ['chat_template.jinja', 'template'],
      ['sub/LICENSE', 'license'],
      ['odd', 'weights'],
    ]);
    expect(await texts(files)).toEqual(['weights', 'template', 'sub/LICENSE', 'odd']);
    expect(judgeFiles(model, files)).toEqual({ engine: 'llama.cpp' });
  });

  it('of a compressed archive lie in the unpacked one', async () => {
    const stored = new Stored();
    const packed = await stored.add(`${tarType}+gzip`, utf8('compressed'));
    const unpacked = await stored.store(tarBytes(file('model.gguf', 'weights')));
    const files = await modelFiles(modelPack([packed], 'gguf', [unpacked]), stored.open);
    expect(stored.opened).toEqual([unpacked]);
    expect(files).toMatchObject([{ path: 'model.gguf', layer: packed }]);
    expect(await texts(files)).toEqual(['weights']);
  });

  it('reads of an archive its headers only', async () => {
    const stored = new Stored();
    const layer = await stored.add(tarType, tarBytes(file('a.gguf', 'x'.repeat(100_000)), file('b.json')));
    let readBytes = 0;
    class CountedBlob extends Blob {
      override slice(from?: number, to?: number): Blob {
        return new CountedBlob([super.slice(from, to)]);
      }
      override arrayBuffer(): Promise<ArrayBuffer> {
        readBytes += this.size;
        return super.arrayBuffer();
      }
    }
    const counted = new CountedBlob([stored.blobs.get(layer.digest) ?? '']);
    await modelFiles(modelPack([layer]), () => Promise.resolve(counted));
    expect(readBytes).toBe(3 * 512);
  });

  it('says that a file is gone', async () => {
    const gone: Descriptor = { mediaType: mediaTypes.gguf, size: 1, digest: `sha256:${'1'.repeat(64)}` };
    const model = artifact(mediaTypes.configV01, [gone], { config: {} });
    await expect(modelFiles(model, new Stored().open)).rejects.toMatchObject({ code: 'digest_mismatch' });
  });

  it.each<[string, readonly RawEntry[]]>([
    ['a path that leads out', [file('../x.gguf')]],
    ['a link', [{ name: 'model.gguf', typeFlag: '2' }]],
    ['two files of one path', [file('a'), file('a')]],
    ['a file that another layer has', [file('config.json')]],
    ['two chat templates', [file('a.jinja'), file('b.jinja')]],
  ])('refuses an archive with %s', async (_, entries) => {
    const stored = new Stored();
    const layers = [
      await stored.add(tarType, tarBytes(...entries)),
      await stored.add('application/vnd.cncf.model.weight.config.v1.raw', utf8('{}'), 'config.json'),
    ];
    await expect(modelFiles(modelPack(layers), stored.open)).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
  });
});

describe('judgeFiles', () => {
  it.each([
    [
      'MLC',
      ['mlc-chat-config.json', 'tensor-cache.json', 'params_shard_0.bin', 'tokenizer.json', 'lib.wasm'],
      'webllm',
    ],
    ['GGUF', ['a.gguf'], 'llama.cpp'],
  ])('finds %s in an archive that nothing was said about', async (_, names, engine) => {
    const stored = new Stored();
    const model = modelPack([await stored.add(tarType, tarBytes(...names.map((name) => file(name))))]);
    expect(model.engine).toBeUndefined();
    expect(judgeFiles(model, await modelFiles(model, stored.open))).toEqual({ engine });
  });

  it('says why nothing runs what it finds', async () => {
    const stored = new Stored();
    const model = modelPack([await stored.add(tarType, tarBytes(file('model.safetensors')))]);
    const judged = judgeFiles(model, await modelFiles(model, stored.open));
    expect(judged).toEqual({ obstacle: expect.stringContaining('safetensors') });
  });
});

describe('ggufFiles', () => {
  const named = async (type: string, layerType: string, paths: readonly string[]) => {
    const stored = new Stored();
    const layers = await Promise.all(paths.map((path) => stored.add(layerType, utf8(path), path)));
    return ggufFiles(await modelFiles(artifact(type, layers, { config: { format: 'gguf' } }), stored.open));
  };

  it('stand in the order of their numbers', async () => {
    const paths = ['m-00003-of-00003.gguf', 'm-00001-of-00003.gguf', 'm-00002-of-00003.gguf'];
    const files = await named(mediaTypes.configV02, mediaTypes.gguf, paths);
    expect(files.map(({ path }) => path)).toEqual(paths.toSorted());
  });

  it('stand in the order of the layers when they have none', async () => {
    const files = await named(mediaTypes.configV01, mediaTypes.gguf, ['b', 'a']);
    expect(files.map(({ path }) => path)).toEqual(['b', 'a']);
  });

  it('leave other weights out', async () => {
    const files = await named(mediaTypes.configV02, mediaTypes.modelFile, [
      'a.gguf',
      'b.safetensors',
      'mmproj.gguf',
    ]);
    expect(files.map(({ path }) => path)).toEqual(['a.gguf']);
  });
});
