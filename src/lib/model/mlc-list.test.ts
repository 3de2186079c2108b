import { readFile } from 'node:fs/promises';
import { modelVersion, prebuiltAppConfig } from '@mlc-ai/web-llm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { mlcModelsJson } from '#scripts/mlc-models.mjs';
import { parseMlcList } from './mlc-list.ts';
import { mlcLibraryVersion } from './mlc.ts';

const shipped = () => readFile(new URL('../../../static/mlc-models.json', import.meta.url), 'utf8');

describe('static/mlc-models.json', () => {
  it('is what the installed WebLLM gives: run `node scripts/mlc-models.mjs` when it is not', async () => {
    expect(await shipped()).toBe(mlcModelsJson());
  });

  it('has every model of WebLLM, each under a reference of its own', async () => {
    const list = parseMlcList(await shipped());
    expect(list.map(({ modelId }) => modelId)).toEqual(
      prebuiltAppConfig.model_list.map(({ model_id }) => model_id),
    );
    expect(new Set(list.map(({ reference }) => reference)).size).toBe(list.length);
  });

  it('has libraries of the version that the engine runs, and no others', async () => {
    expect(modelVersion.split('/')).toContain(mlcLibraryVersion);
    for (const { libraryUrl } of parseMlcList(await shipped()))
      expect(libraryUrl).toContain(`/${modelVersion}/`);
  });
});

const wire = {
  model_id: 'Tiny-q4f16_1-MLC-1k',
  repository: 'org/Tiny-q4f16_1-MLC',
  variant: '1k',
  library: 'https://example.org/tiny.wasm',
  kind: 'llm',
  context_size: 1024,
  vram_bytes: 1000,
  required_features: [],
  low_resource: true,
};
const listOf = (...models: unknown[]) => JSON.stringify({ library_version: 'v1', models });

describe('parseMlcList', () => {
  it('reads where a model is and what it needs', () => {
    expect(parseMlcList(listOf(wire))).toEqual([
      {
        modelId: 'Tiny-q4f16_1-MLC-1k',
        repository: 'org/Tiny-q4f16_1-MLC',
        variant: '1k',
        reference: 'hf.co/org/Tiny-q4f16_1-MLC:1k',
        libraryUrl: 'https://example.org/tiny.wasm',
        kind: 'llm',
        contextSize: 1024,
        vramBytes: 1000,
        requiredFeatures: ['shader-f16'],
        lowResource: true,
        bufferSizeBytes: undefined,
      },
    ]);
  });

  it.each([
    ['org/Tiny-q4f32_1-MLC', [], []],
    ['org/Tiny-q4bf16_1-MLC', [], []],
    ['org/Tiny-q0f16-MLC', ['subgroups'], ['subgroups', 'shader-f16']],
    ['org/Tiny-q4f16_1-MLC', ['shader-f16'], ['shader-f16']],
  ])('knows what %s needs by its name, whatever is listed', (repository, listed, expected) => {
    const [entry] = parseMlcList(listOf({ ...wire, repository, required_features: listed }));
    expect(entry?.requiredFeatures).toEqual(expected);
  });

  it.each([
    ['a library without encryption', { library: 'http://example.org/tiny.wasm' }],
    ['a library that is a script', { library: 'https://example.org/tiny.js' }],
    ['a repository of another shape', { repository: 'tiny' }],
    ['a kind that is not known', { kind: 'audio' }],
    ['no memory', { vram_bytes: 0 }],
  ])('refuses %s', (_, changes) => {
    expect(() => parseMlcList(listOf({ ...wire, ...changes }))).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });

  it('refuses anything else with an ApiError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseMlcList(text)).toThrow(ApiError);
      }),
    );
  });
});
