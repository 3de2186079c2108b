/** Where an upload waits until it is whole: the runner takes files as handles, and a socket has none to give. */
import type { ByteStream } from '#lib/bridge/error-event.ts';

export interface Spooled {
  readonly file: Blob;
  /** Nobody reads `file` any more. Never rejects. */
  readonly release: () => Promise<void>;
}

/** Reads `body` to its end. Rejects with the body's failure or the disk's, and then leaves nothing behind. */
export type Spool = (body: ByteStream) => Promise<Spooled>;

const folderName = 'spool';

/** On the disk, in this origin's private file system. Uploads that a killed tab left there are thrown away. */
export async function opfsSpool(root: FileSystemDirectoryHandle): Promise<Spool> {
  const folder = await root.getDirectoryHandle(folderName, { create: true });
  const remove = async (name: string) => {
    // One that another worker still writes is not ours to remove.
    await folder.removeEntry(name).catch(() => undefined);
  };
  const leftovers: string[] = [];
  for await (const name of folder.keys()) leftovers.push(name);
  for (const name of leftovers) await remove(name);

  return async (body) => {
    const name = crypto.randomUUID();
    const handle = await folder.getFileHandle(name, { create: true });
    try {
      await body.pipeTo(await handle.createWritable());
      return { file: await handle.getFile(), release: () => remove(name) };
    } catch (thrown) {
      await remove(name);
      throw thrown;
    }
  };
}
