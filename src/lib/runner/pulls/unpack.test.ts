import { gzipSync } from 'node:zlib';
import { beforeEach, expect, it } from 'vitest';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { ingest } from '#lib/store/ingest.ts';
import { unpackLayer } from './unpack.ts';

const tar = new TextEncoder().encode('what is inside '.repeat(1000));
const signal = new AbortController().signal;
let store: MemoryBlobStore;

beforeEach(() => {
  store = new MemoryBlobStore();
});

async function keep(bytes: Uint8Array<ArrayBuffer>): Promise<Digest> {
  const digest = await sha256(bytes);
  await ingest(store, digest, bytes.byteLength, new Blob([bytes]).stream());
  return digest;
}

it('stores what a layer expands to beside it', async () => {
  const packed = await keep(new Uint8Array(gzipSync(tar)));
  const unpacked = await sha256(tar);
  await unpackLayer(packed, unpacked, { store, signal });
  expect(await store.verify(unpacked)).toBe('intact');
  await unpackLayer(packed, unpacked, { store, signal });
  expect(await store.digests()).toHaveLength(2);
});

it.each([
  ['expands to something else', new Uint8Array(gzipSync('other')), 'digest_mismatch'],
  ['is no gzip', new TextEncoder().encode('no gzip'), 'unsupported_model_format'],
  ['is cut short', new Uint8Array(gzipSync(tar)).slice(0, -12), 'unsupported_model_format'],
  [
    'grows beyond all measure',
    new Uint8Array(gzipSync(new Uint8Array(2_000_000))),
    'unsupported_model_format',
  ],
])('a layer that %s is refused, and nothing of it stays', async (_, bytes, code) => {
  const packed = await keep(bytes);
  const limits = { timesLarger: 8, alwaysAllowedBytes: 100_000 };
  await expect(unpackLayer(packed, await sha256(tar), { store, signal, limits })).rejects.toMatchObject({
    code,
  });
  expect(await store.digests()).toEqual([packed]);
  expect(await store.partials()).toEqual([]);
});

it('stops when asked', async () => {
  const packed = await keep(new Uint8Array(gzipSync(tar)));
  const stopped = AbortSignal.abort(new Error('enough'));
  await expect(unpackLayer(packed, await sha256(tar), { store, signal: stopped })).rejects.toThrow('enough');
  expect(await store.digests()).toEqual([packed]);
});
