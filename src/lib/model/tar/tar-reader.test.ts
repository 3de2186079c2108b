import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TarReader } from './tar-reader.ts';
import { join, pax, tarBytes, tarEntryBytes, tarHeaderBytes, utf8 } from './testing/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const refused = expect.objectContaining({ code: 'unsupported_model_format' });

interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  readonly state: { cancelled: boolean; sentBytes: number };
}

function sourceOf(bytes: Bytes, chunkBytes = 1000): Source {
  const state = { cancelled: false, sentBytes: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (state.sentBytes >= bytes.byteLength) return controller.close();
        controller.enqueue(bytes.slice(state.sentBytes, state.sentBytes + chunkBytes));
        state.sentBytes += chunkBytes;
      },
      cancel: () => {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
}

const textOf = (body: ReadableStream<Uint8Array>) => new Response(body).text();

async function readAll(bytes: Bytes, chunkBytes?: number): Promise<[string, string, string][]> {
  const found: [string, string, string][] = [];
  for await (const entry of new TarReader(sourceOf(bytes, chunkBytes).stream).entries())
    found.push([entry.path, entry.type, await textOf(entry.body)]);
  return found;
}

const long = 'a long text. '.repeat(500);
const archive = tarBytes(
  { name: 'folder/', typeFlag: '5' },
  { name: 'first', body: utf8('hello') },
  pax({ path: 'renamed/by/pax' }),
  { name: 'x', body: utf8(long) },
  { name: 'empty' },
  { name: 'whole block', body: utf8('b'.repeat(512)) },
);
const contents = [
  ['folder', 'folder', ''],
  ['first', 'file', 'hello'],
  ['renamed/by/pax', 'file', long],
  ['empty', 'file', ''],
  ['whole block', 'file', 'b'.repeat(512)],
];

describe('TarReader', () => {
  it('gives every entry its bytes, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: archive.byteLength }), async (chunkBytes) => {
        expect(await readAll(archive, chunkBytes)).toEqual(contents);
      }),
      { numRuns: 60 },
    );
  });

  it('passes over what was not read, or not wholly', async () => {
    const paths: string[] = [];
    for await (const entry of new TarReader(sourceOf(archive).stream).entries()) {
      paths.push(entry.path);
      if (entry.path !== 'renamed/by/pax') continue;
      const reader = entry.body.getReader();
      expect((await reader.read()).done).toBe(false);
    }
    expect(paths).toEqual(contents.map(([path]) => path));
  });

  it('copies nothing: chunks of a body are views of those that arrived', async () => {
    const bytes = tarBytes({ name: 'a', body: new Uint8Array(100_000) });
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    for await (const entry of new TarReader(stream).entries()) {
      const { value } = await entry.body.getReader().read();
      expect(value?.buffer).toBe(bytes.buffer);
      expect(value?.byteLength).toBe(100_000);
    }
  });

  it('reads no further than who reads it', async () => {
    const { stream, state } = sourceOf(tarBytes({ name: 'a', body: new Uint8Array(100_000) }));
    for await (const entry of new TarReader(stream).entries()) {
      expect(state.sentBytes).toBe(1000);
      await entry.body.getReader().read();
      expect(state.sentBytes).toBe(1000);
    }
  });

  it('reads the padding to its end and leaves the stream done', async () => {
    const { stream, state } = sourceOf(join(archive, new Uint8Array(10_240)));
    for await (const entry of new TarReader(stream).entries()) expect(entry.path).not.toBe('');
    expect(state).toEqual({ cancelled: false, sentBytes: expect.any(Number) });
  });

  it('does not wait for the end of what follows without one', async () => {
    let sentBytes = 0;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          controller.enqueue(sentBytes === 0 ? archive.slice() : new Uint8Array(64 * 1024));
          sentBytes += 64 * 1024;
        },
      },
      { highWaterMark: 0 },
    );
    for await (const entry of new TarReader(endless).entries()) expect(entry.path).not.toBe('');
    expect(sentBytes).toBeLessThan(4 * 1024 * 1024);
  });

  it('cancels the stream when its reader leaves', async () => {
    const { stream, state } = sourceOf(archive);
    for await (const entry of new TarReader(stream).entries()) if (entry.path === 'first') break;
    expect(state.cancelled).toBe(true);
  });

  it.each<[string, Bytes]>([
    ['an entry that leads out', tarBytes({ name: '../x', body: utf8('x') })],
    ['a body that was cut short', tarEntryBytes({ name: 'a', body: utf8(long) }).slice(0, 2000)],
    [
      'a header that was cut short',
      join(tarEntryBytes({ name: 'a', body: utf8('x') }), tarHeaderBytes({}).slice(0, 100)),
    ],
    ['pax headers without end', tarBytes(...Array.from({ length: 100 }, () => pax({ comment: 'x' })))],
    ['something else', utf8('not a tar '.repeat(100))],
  ])('refuses %s and cancels the stream', async (_, bytes) => {
    await expect(readAll(bytes)).rejects.toThrow(refused);
    const { stream, state } = sourceOf(join(bytes, new Uint8Array(0)));
    const pass = async () => {
      for await (const entry of new TarReader(stream).entries()) expect(entry.path).not.toBe('');
    };
    await expect(pass()).rejects.toThrow(refused);
    expect(state.cancelled || state.sentBytes >= bytes.byteLength).toBe(true);
  });

  it('passes on what goes wrong with the stream', async () => {
    let sent = false;
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (sent) return controller.error(new Error('the line went dead'));
        sent = true;
        controller.enqueue(archive.slice(0, 3000));
      },
    });
    const read = async () => {
      for await (const entry of new TarReader(failing).entries()) await textOf(entry.body);
    };
    await expect(read()).rejects.toThrow('the line went dead');
  });
});
