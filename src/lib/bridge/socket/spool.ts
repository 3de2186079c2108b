/** Where an upload waits until it is whole: the runner takes files as handles, and a socket has none to give. */
import type { ByteStream } from '#lib/bridge/error-event.ts';
import { readBytes } from '#lib/core/byte-reader.ts';
import { sleep, systemClock, type Clock } from '#lib/core/clock.ts';
import { isStillOpen } from '#lib/core/file-lock.ts';

export interface Spooled {
  readonly file: Blob;
  /** Nobody reads `file` any more. Never rejects. */
  readonly release: () => Promise<void>;
}

/** Reads `body` to its end. Rejects with the body's failure or the disk's, and then leaves nothing behind. */
export type Spool = (body: ByteStream) => Promise<Spooled>;

const folderName = 'spool';
/** Each write takes the way through the browser's process: with pieces of 64 KiB that is a third of the speed. */
const pieceBytes = 4 * 1024 * 1024;
const unlockedWithinMs = 2000;
const pollMs = 20;

/** On the disk, in this origin's private file system. Uploads that a killed tab left there are thrown away. */
export async function opfsSpool(root: FileSystemDirectoryHandle, clock = systemClock): Promise<Spool> {
  const folder = await root.getDirectoryHandle(folderName, { create: true });
  const leftovers: string[] = [];
  for await (const name of folder.keys()) leftovers.push(name);
  // One that another worker still writes is not ours to remove.
  for (const name of leftovers) await folder.removeEntry(name).catch(() => undefined);
  const remove = (name: string) => removeUnlocked(folder, name, clock);

  return async (body) => {
    const name = crypto.randomUUID();
    const handle = await folder.getFileHandle(name, { create: true });
    try {
      await write(body, await handle.createWritable());
      return { file: await handle.getFile(), release: () => remove(name) };
    } catch (thrown) {
      await remove(name);
      throw thrown;
    }
  };
}

/** A file stays locked for a moment after its writing was given up. What cannot be removed goes with the next session. */
async function removeUnlocked(folder: FileSystemDirectoryHandle, name: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.now() + unlockedWithinMs;
  for (;;) {
    try {
      await folder.removeEntry(name);
      return;
    } catch (thrown) {
      if (!isStillOpen(thrown) || clock.now() >= deadlineMs) return;
    }
    await sleep(clock, pollMs);
  }
}

async function write(body: ByteStream, target: FileSystemWritableFileStream): Promise<void> {
  const bytes = readBytes(body);
  try {
    let room = new Uint8Array(pieceBytes);
    for (;;) {
      const piece = await bytes.fill(room);
      if (piece.byteLength > 0) await target.write(piece);
      if (piece.byteLength < pieceBytes) break;
      room = new Uint8Array(piece.buffer, 0, pieceBytes);
    }
    await target.close();
  } catch (thrown) {
    await target.abort();
    throw thrown;
  } finally {
    // A body that failed has nothing left to cancel.
    await bytes.cancel().catch(() => undefined);
  }
}
