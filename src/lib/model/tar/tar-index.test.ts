import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { readTarIndex, type TarEntry } from './tar-index.ts';
import {
  join,
  pax,
  paxRecord,
  tarBytes,
  tarEntryBytes,
  tarHeaderBytes,
  utf8,
  type RawEntry,
} from './testing/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const refused = expect.objectContaining({ code: 'unsupported_model_format' });
const gibibyte = 1024 ** 3;

/** An archive that is said to be larger goes on with zeros. */
async function index(bytes: Bytes, sizeBytes = bytes.byteLength): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const read = (offset: number, length: number) => {
    const there = bytes.subarray(offset, offset + length);
    return Promise.resolve(
      sizeBytes > bytes.byteLength ? join(there.slice(), new Uint8Array(length)) : there,
    );
  };
  for await (const entry of readTarIndex(read, sizeBytes)) entries.push(entry);
  return entries;
}

const indexOf = (...entries: readonly RawEntry[]) => index(tarBytes(...entries));
const base256 = (value: bigint): Bytes => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(4, value);
  bytes[0] = 0x80;
  return bytes;
};

describe('readTarIndex', () => {
  it('says where each file lies', async () => {
    expect(
      await indexOf(
        { name: './', typeFlag: '5' },
        { name: 'a.txt', body: utf8('hello') },
        { name: 'folder/', typeFlag: '5' },
        { name: 'folder/b.bin', body: new Uint8Array(512) },
        { name: 'empty' },
      ),
    ).toEqual([
      { path: '.', type: 'folder', sizeBytes: 0, offset: 512 },
      { path: 'a.txt', type: 'file', sizeBytes: 5, offset: 1024 },
      { path: 'folder', type: 'folder', sizeBytes: 0, offset: 2048 },
      { path: 'folder/b.bin', type: 'file', sizeBytes: 512, offset: 2560 },
      { path: 'empty', type: 'file', sizeBytes: 0, offset: 3584 },
    ]);
  });

  it('reads headers only', async () => {
    const body = new Uint8Array(1024 * 1024);
    const bytes = tarBytes({ name: 'a', body }, { name: 'b', body });
    let readBytes = 0;
    const read = (offset: number, length: number) => {
      readBytes += length;
      return Promise.resolve(bytes.subarray(offset, offset + length));
    };
    for await (const entry of readTarIndex(read, bytes.byteLength)) expect(entry.type).toBe('file');
    expect(readBytes).toBe(3 * 512);
  });

  it.each([
    ['a prefix', [{ prefix: 'some/folder', name: 'name' }], 'some/folder/name'],
    ['no prefix where GNU keeps times', [{ magic: 'ustar  \0', prefix: '14723512', name: 'name' }], 'name'],
    ['an old header', [{ magic: '', name: 'name', typeFlag: '\0' }], 'name'],
    ['a pax path', [pax({ path: 'långt/名' }), { name: 'short' }], 'långt/名'],
    ['a pax path beside a cut name', [pax({ path: 'whole' }), { name: 'x', prefix: 'y' }], 'whole'],
    [
      'a GNU long name',
      [{ typeFlag: 'L', name: '././@LongLink', body: utf8(`${'a'.repeat(300)}\0`) }, {}],
      'a'.repeat(300),
    ],
    ['a long link beside it', [{ typeFlag: 'K', body: utf8('target\0') }, { name: 'name' }], 'name'],
    ['a global comment before it', [pax({ comment: 'of git' }, 'g'), { name: 'name' }], 'name'],
    ['the last of two pax paths', [pax({ path: 'one' }), pax({ path: 'two' }), {}], 'two'],
  ])('takes the path from %s', async (_, entries: readonly RawEntry[], path) => {
    expect(await indexOf(...entries)).toMatchObject([{ path, type: 'file' }]);
  });

  it('takes sizes of more than 8 GiB from pax and from GNU’s binary numbers', async () => {
    const size = 9 * gibibyte + 7;
    const paxed = join(tarEntryBytes(pax({ size: String(size) })), tarHeaderBytes({ name: 'weights' }));
    expect(await index(paxed, 20 * gibibyte)).toMatchObject([{ sizeBytes: size, offset: 1536 }]);
    const binary = tarHeaderBytes({ name: 'weights', size: base256(BigInt(size)) });
    expect(await index(binary, 20 * gibibyte)).toMatchObject([{ sizeBytes: size, offset: 512 }]);
  });

  it('names links and devices without giving them bytes', async () => {
    const kinds = ['1', '2', '3', '4', '5', '6'].map((typeFlag) => ({ typeFlag, name: `of-${typeFlag}` }));
    expect((await indexOf(...kinds)).map(({ type }) => type)).toEqual([
      'link',
      'link',
      'special',
      'special',
      'folder',
      'special',
    ]);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['blocks of zeros', new Uint8Array(10_240)],
  ])('finds nothing in %s', async (_, bytes) => {
    expect(await index(bytes)).toEqual([]);
  });

  it('ends at a block of zeros, or where the bytes end', async () => {
    const one = tarEntryBytes({ name: 'a', body: utf8('x') });
    expect(await index(one)).toHaveLength(1);
    expect(await index(join(one, new Uint8Array(512), one))).toHaveLength(1);
  });

  it.each<[string, Bytes]>([
    ['a path that leads out', tarBytes({ name: '../x' })],
    ['a path that leads out in the middle', tarBytes({ name: 'a/../../x' })],
    ['a path that leads out by its prefix', tarBytes({ prefix: '..', name: 'x' })],
    ['a path that leads out by pax', tarBytes(pax({ path: '../../x' }), {})],
    ['a path that leads out by a long name', tarBytes({ typeFlag: 'L', body: utf8('../x\0') }, {})],
    ['an absolute path', tarBytes({ name: '/etc/passwd' })],
    ['an absolute folder', tarBytes({ name: '/', typeFlag: '5' })],
    ['a NUL in a pax path', tarBytes(pax({ path: 'a\0b' }), {})],
    ['a line feed in a path', tarBytes({ name: 'a\nb' })],
    ['an empty path', tarBytes({ name: '' })],
    ['a path that is no UTF-8', tarBytes({ name: 'a', prefix: 'b' }).with(0, 0xff)],
    ['a wrong checksum', tarBytes({ name: 'a', checksum: '000000\0 ' })],
    ['a checksum that is no number', tarBytes({ name: 'a', checksum: 'abcdefgh' })],
    ['a size that is no number', tarBytes({ size: '9999999999\0' })],
    ['a negative size', tarBytes({ size: new Uint8Array(12).fill(0xff) })],
    ['a negative octal size', tarBytes({ size: '-0000000001\0' })],
    ['a size beyond integers', tarBytes({ size: base256(2n ** 63n) })],
    ['a size past the end', tarBytes({ size: '00000100000\0' })],
    ['a pax size past the end', tarBytes(pax({ size: '999999' }), {})],
    ['a pax size that is no number', tarBytes(pax({ size: '-1' }), {})],
    ['a pax size with a fraction', tarBytes(pax({ size: '1e3' }), {})],
    ['a pax size beyond integers', tarBytes(pax({ size: '99999999999999999999' }), {})],
    ['pax headers without end', tarBytes(...Array.from({ length: 100 }, () => pax({ comment: 'x' })), {})],
    [
      'long names without end',
      tarBytes(...Array.from({ length: 100 }, () => ({ typeFlag: 'L', body: utf8('a\0') })), {}),
    ],
    ['a pax header of gibibytes', tarBytes({ typeFlag: 'x', size: '77777777777\0' })],
    ['a pax header past the end', tarHeaderBytes({ typeFlag: 'x', size: '00000001000\0' })],
    ['a pax header and then nothing', tarBytes(pax({ path: 'a' }))],
    ['a pax record of length 0', tarBytes({ typeFlag: 'x', body: utf8('0 path=a\n') }, {})],
    ['a pax record that is too long', tarBytes({ typeFlag: 'x', body: utf8('99 path=a\n') }, {})],
    ['a pax record that is too short', tarBytes({ typeFlag: 'x', body: utf8('5 path=a\n') }, {})],
    ['a pax record without a value', tarBytes({ typeFlag: 'x', body: utf8('7 path\n') }, {})],
    ['pax noise', tarBytes({ typeFlag: 'x', body: utf8('no records at all') }, {})],
    ['one path for all files', tarBytes(pax({ path: 'a' }, 'g'), {})],
    ['a sparse file', tarBytes(pax({ 'GNU.sparse.major': '1' }), {})],
    ['an old sparse file', tarBytes({ typeFlag: 'S' })],
    ['a piece of a volume', tarBytes({ typeFlag: 'M' })],
    ['a link with a body', tarBytes({ typeFlag: '1', body: utf8('smuggled') })],
    ['a folder with a body', tarBytes({ typeFlag: '5', name: 'a/', body: utf8('smuggled') })],
    ['half a header', tarHeaderBytes({}).slice(0, 300)],
    ['a text', utf8('<!doctype html>'.repeat(100))],
  ])('refuses %s', async (_, bytes) => {
    await expect(index(bytes)).rejects.toThrow(refused);
  });

  it('refuses more entries than any model has', async () => {
    const header = tarHeaderBytes({ name: 'a' });
    const read = () => Promise.resolve(header);
    const endless = readTarIndex(read, Number.MAX_SAFE_INTEGER);
    const count = async () => {
      for await (const entry of endless) expect(entry.sizeBytes).toBe(0);
    };
    await expect(count()).rejects.toThrow('more than 10000 entries');
  });

  it('never throws anything but an ApiError', async () => {
    const whole = tarBytes(
      pax({ path: 'long', mtime: '1.5' }),
      { name: 'a', body: utf8('hello') },
      { name: 'b/', typeFlag: '5' },
    );
    const flips = fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(flips, fc.boolean(), fc.nat(whole.byteLength), async (changes, mended, end) => {
        const bytes = whole.slice(0, end % 3 === 0 ? end : whole.byteLength);
        for (const [at, value] of changes) if (at < bytes.byteLength) bytes[at] = value;
        if (mended) mendChecksums(bytes);
        await index(bytes).catch((thrown: unknown) => {
          expect(thrown).toBeInstanceOf(ApiError);
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('reads any pax records that a writer can make', async () => {
    const path = fc.array(
      fc
        .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
        .filter((part) => !/[\p{C}/\\:.\u2028\u2029]/u.test(part)),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    await fc.assert(
      fc.asyncProperty(path, fc.string(), async (parts, comment) => {
        const name = parts.join('/');
        const body = join(paxRecord('comment', comment), paxRecord('path', name));
        expect(await indexOf({ typeFlag: 'x', body }, {})).toMatchObject([{ path: name }]);
      }),
    );
  });
});

/** So that damage gets past the first check. */
function mendChecksums(bytes: Bytes): void {
  for (let at = 0; at + 512 <= bytes.byteLength; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block[257] !== 0x75) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(utf8(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  }
}
