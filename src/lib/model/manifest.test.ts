import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { maxManifestBytes, mediaTypes, parseManifest } from './manifest.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const layer = { mediaType: mediaTypes.gguf, digest, size: 3 };
const manifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { ...layer, size: 2 },
  layers: [layer],
};
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('parseManifest', () => {
  it('tells a manifest from an index', () => {
    expect(parseManifest(bytes(manifest))).toEqual({ kind: 'manifest', manifest });
    const index = { schemaVersion: 2, manifests: [layer] };
    expect(parseManifest(bytes(index))).toEqual({ kind: 'index', index });
  });

  it.each([
    ['version 1', { ...manifest, schemaVersion: 1 }],
    ['no config', { schemaVersion: 2, layers: [] }],
    ['a weak digest', { ...manifest, layers: [{ ...layer, digest: `sha1:${'a'.repeat(40)}` }] }],
    ['a path for a digest', { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    ['a fraction for a size', { ...manifest, layers: [{ ...layer, size: 1.5 }] }],
    ['a size beyond integers', { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] }],
    ['too many layers', { ...manifest, layers: Array(1001).fill(layer) }],
    ['too many entries', { schemaVersion: 2, manifests: Array(1001).fill(layer) }],
    ['a list', []],
    ['nothing', null],
  ])('refuses %s', (_, document) => {
    expect(() => parseManifest(bytes(document))).toThrow(
      expect.objectContaining({ code: 'unsupported_model_format' }),
    );
  });

  it('says that ten thousand layers are too many, before it looks at any of them', () => {
    const endless = { ...manifest, layers: Array(10_000).fill(0) };
    expect(() => parseManifest(bytes(endless))).toThrow(
      'lists 10000 entries, and no model has more than 1000',
    );
  });

  it.each(['sha512', 'sha1', 'md5', 'blake3'])(
    'never takes a digest of %s for one that it can check',
    (algorithm) => {
      const weaker = { ...manifest, layers: [{ ...layer, digest: `${algorithm}:${'a'.repeat(128)}` }] };
      expect(() => parseManifest(bytes(weaker))).toThrow(
        `layers.0.digest: a digest of the algorithm ${algorithm}, and only sha256 can be checked here`,
      );
    },
  );

  it('refuses more bytes than any registry serves', () => {
    expect(() => parseManifest(new Uint8Array(maxManifestBytes + 1))).toThrow('larger than');
  });

  it('never throws anything but an ApiError', () => {
    const whole = bytes(manifest);
    const inputs = fc.oneof(
      fc.uint8Array(),
      fc.jsonValue().map(bytes),
      fc.nat(whole.byteLength).map((length) => whole.subarray(0, length)),
      fc
        .record({ schemaVersion: fc.constant(2), manifests: fc.jsonValue(), layers: fc.jsonValue() })
        .map(bytes),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        try {
          parseManifest(input);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
