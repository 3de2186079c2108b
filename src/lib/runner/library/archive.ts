/** A model as the tar that Docker Model Runner exports and loads (dmr-semantics section 3.5), streamed. */
import { digestHex, type Digest } from '#lib/core/digest.ts';
import { tarEnd, tarHeader, tarPadding, type WrittenEntry } from '#lib/model/tar/tar-writer.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';
import type { Pins } from './pins.ts';

export interface Archive {
  readonly sizeBytes: number;
  /** Fails when a file cannot be read any more: half an archive must not look whole. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Throws `digest_mismatch` before the first byte when a file of the model is missing. Its files stay until the stream ends. */
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
    return { sizeBytes: parts.reduce((sum, part) => sum + part.size, 0), stream: join(parts, release) };
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

/** One part after the other, read as they are asked for. */
function join(parts: readonly Blob[], onEnd: () => void): Archive['stream'] {
  const left = [...parts];
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  const next = async (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    for (;;) {
      reader ??= left.shift()?.stream().getReader();
      if (!reader) return undefined;
      const { done, value } = await reader.read();
      if (!done) return value;
      reader = undefined;
    }
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const chunk = await next();
          if (chunk) {
            controller.enqueue(chunk);
            return;
          }
          onEnd();
          controller.close();
        } catch (thrown) {
          onEnd();
          throw thrown;
        }
      },
      async cancel(reason) {
        onEnd();
        await reader?.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
