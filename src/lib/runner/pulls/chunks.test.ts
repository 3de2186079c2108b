import { expect, test } from 'vitest';
import { openChunks, type Chunks } from './chunks.ts';

async function readAll(chunks: Chunks): Promise<string> {
  let text = '';
  for (let chunk = await chunks.next(); chunk; chunk = await chunks.next())
    text += new TextDecoder().decode(chunk);
  return text;
}

const parts = ['one ', 'two ', 'three'].map((text) => new TextEncoder().encode(text));

function source(type: 'bytes' | undefined): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = parts.map((part) => part.slice());
  const pull = (controller: { enqueue(chunk: Uint8Array<ArrayBuffer>): void; close(): void }) => {
    const next = left.shift();
    if (next) controller.enqueue(next);
    else controller.close();
  };
  return type === 'bytes'
    ? new ReadableStream({
        type,
        pull: (controller) => {
          pull({
            enqueue: (chunk) => controller.enqueue(chunk),
            close: () => {
              controller.close();
              controller.byobRequest?.respond(0);
            },
          });
        },
      })
    : new ReadableStream({ pull });
}

test('a byte stream is read through one buffer', async () => {
  const chunks = openChunks(source('bytes'));
  const first = await chunks.next();
  expect(new TextDecoder().decode(first)).toBe('one ');
  expect(first?.buffer.byteLength).toBe(256 * 1024);
  await chunks.next();
  expect(first?.byteLength, 'it is valid until the next call only').toBe(0);
  expect(await readAll(chunks)).toBe('three');
});

test('any other stream is read as it comes', async () => {
  expect(await readAll(openChunks(source(undefined)))).toBe('one two three');
});

test('what breaks off rejects', async () => {
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    type: 'bytes',
    pull: () => Promise.reject(new TypeError('cut')),
  });
  await expect(openChunks(broken).next()).rejects.toThrow('cut');
});
