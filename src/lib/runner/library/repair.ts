/** Reads every file of a model again and compares it with its digest; what is damaged is removed and fetched anew. */
import type { Digest } from '#lib/core/digest.ts';
import { parseReference, type Reference } from '#lib/model/reference.ts';
import type { RepairJson } from '#lib/model/wire.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';

export interface RepairPorts {
  readonly library: Library;
  readonly store: BlobStore;
  /** Starts the pull that fetches this very model's missing files; returns its id. */
  readonly fetchAgain: (reference: Reference, id: Digest) => string;
}

export interface RepairOptions {
  readonly signal: AbortSignal;
  readonly tell: (line: RepairJson) => void;
}

interface Part {
  readonly digest: Digest;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Tells progress, each damaged file, and `done` at the end. A damaged file that another model shares is gone for both until it is back. */
export async function repairModel(
  model: IndexedModel,
  { library, store, fetchAgain }: RepairPorts,
  { signal, tell }: RepairOptions,
): Promise<void> {
  const parts = partsOf(model, library);
  const totalBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  let checkedBytes = 0;
  let damaged = 0;
  for (const { digest, path, sizeBytes } of parts) {
    const before = checkedBytes;
    const verdict = await store.verify(digest, {
      signal,
      onProgress: (bytes) =>
        tell({ type: 'progress', checked_bytes: before + bytes, total_bytes: totalBytes }),
    });
    checkedBytes += sizeBytes;
    if (verdict === 'intact') continue;
    damaged++;
    if (verdict === 'damaged') await store.delete(digest);
    tell({ type: 'damaged', digest, path, missing: verdict === 'absent' });
  }
  if (damaged > 0) library.changed.notify();
  const [tag] = model.tags;
  const pull = damaged > 0 && tag !== undefined ? fetchAgain(parseReference(tag), model.id) : undefined;
  tell({ type: 'done', damaged, ...(pull === undefined ? {} : { pull }) });
}

/** What a compressed layer was unpacked to counts as a file of its own; its size is that of the layer until it is read. */
function partsOf(model: IndexedModel, library: Library): readonly Part[] {
  const parts = library
    .partsOf(model)
    .artifact.layers.flatMap(({ descriptor, path, unpacked }) => [
      { digest: descriptor.digest, path, sizeBytes: descriptor.size },
      ...(unpacked ? [{ digest: unpacked, path, sizeBytes: descriptor.size }] : []),
    ]);
  return [...new Map(parts.map((part) => [part.digest, part])).values()];
}
