/** A model as the tar that Docker Model Runner exports and loads (dmr-semantics section 3.5). */
import { digestHex, type Digest } from '#lib/core/digest.ts';
import { tarEnd, tarHeader, tarPadding, type WrittenEntry } from '#lib/model/tar/tar-writer.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';
import type { Pins } from './pins.ts';

export interface Archive {
  /** Made of the stored files themselves, none of them copied or read. */
  readonly file: Blob;
  /** The model's files stay until it is called. */
  readonly release: () => void;
}

/** Throws `digest_mismatch` when a file of the model is missing. */
export async function archiveModel(
  model: IndexedModel,
  { library, pins }: { readonly library: Library; readonly pins: Pins },
): Promise<Archive> {
  const { manifest } = library.partsOf(model);
  const digests = [...new Set(manifest.layers.map(({ digest }) => digest))];
  const release = pins.hold(digests);
  try {
    const layers = await Promise.all(
      digests.map(async (digest) => file(blobPath(digest), await library.blob(digest))),
    );
    const parts = [
      ...folder('blobs'),
      ...folder('blobs/sha256'),
      ...layers.flat(),
      ...file(blobPath(manifest.config.digest), new Blob([model.config])),
      ...file('manifest.json', new Blob([model.manifest])),
      new Blob([tarEnd()]),
    ];
    return { file: new Blob(parts), release };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

function folder(path: string): readonly Blob[] {
  return [header({ path, type: 'folder', sizeBytes: 0 })];
}

function file(path: string, blob: Blob): readonly Blob[] {
  const sizeBytes = blob.size;
  return [header({ path, type: 'file', sizeBytes }), blob, new Blob([tarPadding(sizeBytes)])];
}

function header(entry: WrittenEntry): Blob {
  return new Blob([tarHeader(entry)]);
}
