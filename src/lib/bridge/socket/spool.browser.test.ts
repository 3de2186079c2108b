import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { opfsSpool } from './spool.ts';

let root: FileSystemDirectoryHandle;
const name = `spool-test-${crypto.randomUUID()}`;
beforeEach(async () => {
  root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
});
afterEach(async () => {
  await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true });
});

async function spooledNames(): Promise<string[]> {
  const folder = await root.getDirectoryHandle('spool');
  const names: string[] = [];
  for await (const entry of folder.keys()) names.push(entry);
  return names;
}

const piece = new Uint8Array(64 * 1024).fill(7);

function pieces(count: number, failure?: Error): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(piece);
      else if (failure) controller.error(failure);
      else controller.close();
    },
  });
}

it('keeps what comes on the disk until it is released', async () => {
  const spool = await opfsSpool(root);
  const { file, release } = await spool(pieces(40));
  expect(file.size).toBe(40 * piece.byteLength);
  // As the runner takes it.
  const request = new Request('/models/load', { method: 'POST', body: file });
  const received = await request.blob();
  expect(new Uint8Array(await received.slice(-4).arrayBuffer())).toEqual(new Uint8Array([7, 7, 7, 7]));
  await release();
  expect(await spooledNames()).toEqual([]);
});

it('leaves nothing of a body that broke off', async () => {
  const spool = await opfsSpool(root);
  await expect(spool(pieces(3, new Error('gone')))).rejects.toThrow('gone');
  expect(await spooledNames()).toEqual([]);
});

it('removes a file whose lock outlives its last write for a moment', async () => {
  const spool = await opfsSpool(root);
  const locked = new DOMException('still open', 'NoModificationAllowedError');
  const removal = vi.spyOn(FileSystemDirectoryHandle.prototype, 'removeEntry');
  onTestFinished(() => removal.mockRestore());
  removal.mockRejectedValueOnce(locked).mockRejectedValueOnce(locked);
  await expect(spool(pieces(3, new Error('gone')))).rejects.toThrow('gone');
  expect(await spooledNames()).toEqual([]);
});

it('throws away what an earlier session left', async () => {
  const spool = await opfsSpool(root);
  await spool(pieces(1));
  expect(await spooledNames()).toHaveLength(1);
  await opfsSpool(root);
  expect(await spooledNames()).toEqual([]);
});
