import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join as joinPath } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTarIndex, type TarEntry } from './tar-index.ts';
import { tarEnd, tarHeader, tarPadding, type WrittenEntry } from './tar-writer.ts';
import { join, utf8 } from './testing/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const run = promisify(execFile);

function archiveOf(files: readonly { readonly path: string; readonly content: string }[]): Bytes {
  const parts = files.flatMap(({ path, content }) => {
    const body = utf8(content);
    return [tarHeader({ path, type: 'file', sizeBytes: body.byteLength }), body, tarPadding(body.byteLength)];
  });
  return join(...parts, tarEnd());
}

/** An archive that is said to be larger goes on with zeros. */
async function index(bytes: Bytes, sizeBytes = bytes.byteLength): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const read = (offset: number, length: number) =>
    Promise.resolve(join(bytes.slice(offset, offset + length), new Uint8Array(length)));
  for await (const entry of readTarIndex(read, sizeBytes)) entries.push(entry);
  return entries;
}

const files = [
  { path: 'manifest.json', content: '{}' },
  { path: `blobs/sha256/${'a'.repeat(64)}`, content: 'x'.repeat(5000) },
  { path: `${'folder/'.repeat(20)}name`, content: 'prefix' },
  { path: `${'n'.repeat(180)}.gguf`, content: 'pax' },
  { path: 'größe/模型.gguf', content: 'utf-8' },
  { path: 'empty', content: '' },
];

describe('tarHeader', () => {
  it('is one block where the old format will do', () => {
    expect(tarHeader({ path: 'a', type: 'file', sizeBytes: 1 }).byteLength).toBe(512);
    expect(tarHeader({ path: `${'folder/'.repeat(20)}name`, type: 'file', sizeBytes: 1 }).byteLength).toBe(
      512,
    );
    expect(tarHeader({ path: 'ü', type: 'file', sizeBytes: 1 }).byteLength).toBe(1536);
  });

  it('is the same for the same file', () => {
    const entry: WrittenEntry = { path: 'a', type: 'file', sizeBytes: 1 };
    expect(tarHeader(entry)).toEqual(tarHeader(entry));
    expect(tarHeader({ ...entry, modifiedAtMs: 1e12 })).not.toEqual(tarHeader(entry));
  });

  it.each([8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 9_999_999_999_999])(
    'writes a size of %i bytes',
    async (sizeBytes) => {
      const header = tarHeader({ path: 'weights', type: 'file', sizeBytes });
      expect(await index(header, 2 ** 50)).toMatchObject([
        { path: 'weights', sizeBytes, offset: header.byteLength },
      ]);
    },
  );

  it('writes folders', async () => {
    const folder = tarHeader({ path: 'blobs/sha256', type: 'folder', sizeBytes: 0 });
    expect(await index(folder)).toMatchObject([{ path: 'blobs/sha256', type: 'folder' }]);
  });

  it('pads to whole blocks', () => {
    expect([0, 1, 511, 512, 513].map((size) => tarPadding(size).byteLength)).toEqual([0, 511, 1, 0, 511]);
  });

  it('writes what the reader reads, whatever the path and the size', async () => {
    const part = fc.stringMatching(/^[\p{L}\p{N} _+-]{1,60}$/u);
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 8 }),
        fc.maxSafeNat(),
        async (parts, sizeBytes) => {
          const path = parts.join('/');
          const header = tarHeader({ path, type: 'file', sizeBytes: Math.floor(sizeBytes / 2) });
          expect(await index(header, Number.MAX_SAFE_INTEGER)).toEqual([
            { path, type: 'file', sizeBytes: Math.floor(sizeBytes / 2), offset: header.byteLength },
          ]);
        },
      ),
    );
  });
});

describe('beside the tar of this machine', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'sampan-tar-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('what is written here is read there', async () => {
    const archive = joinPath(folder, 'ours.tar');
    await writeFile(archive, archiveOf(files));
    const out = joinPath(folder, 'out');
    await mkdir(out);
    await run('tar', ['-xf', archive, '-C', out]);
    for (const { path, content } of files) expect(await readFile(joinPath(out, path), 'utf8')).toBe(content);
  });

  it.each(['ustar', 'pax', 'gnu', 'v7'])('what is written there as %s is read here', async (format) => {
    const written =
      format === 'v7' || format === 'ustar' ? files.filter(({ path }) => path.length < 100) : files;
    for (const { path, content } of written) {
      await mkdir(dirname(joinPath(folder, format, path)), { recursive: true });
      await writeFile(joinPath(folder, format, path), content);
    }
    const archive = joinPath(folder, `${format}.tar`);
    await run('tar', [`--format=${format}`, '-cf', archive, '-C', joinPath(folder, format), '.']);
    const bytes = new Uint8Array(await readFile(archive));
    const found = (await index(bytes)).filter(({ type }) => type === 'file');
    const text = ({ offset, sizeBytes }: TarEntry) =>
      new TextDecoder().decode(bytes.subarray(offset, offset + sizeBytes));
    expect(new Map(found.map((entry) => [entry.path, text(entry)]))).toEqual(
      new Map(written.map(({ path, content }) => [path, content])),
    );
  });
});
