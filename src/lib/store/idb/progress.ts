/** How far unfinished blobs are. A file is reserved at full size, so its length says nothing; this does. */
import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { translated } from './translated.ts';

const bytes = v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array);

const record = v.object({
  sizeBytes: v.number(),
  segmentBytes: v.number(),
  /** One bit a segment, see `SegmentMap`. */
  bitmap: bytes,
  /** How far the blob is hashed, and the hash-wasm state there. */
  checkpoint: v.optional(v.object({ hashedBytes: v.number(), hashState: bytes })),
  touchedAtMs: v.number(),
});

export type Progress = Readonly<v.InferOutput<typeof record>>;

/** Where hashing can go on: the state after `hashedBytes` bytes. */
export type Checkpoint = Readonly<NonNullable<Progress['checkpoint']>>;

export class ProgressStore {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-progress') {
    this.#store = createStore(databaseName, 'progress');
  }

  get(digest: Digest): Promise<Progress | undefined> {
    return translated(async () => parseRecord(await get<unknown>(digest, this.#store)));
  }

  put(digest: Digest, progress: Progress): Promise<void> {
    return translated(() => set(digest, progress, this.#store));
  }

  remove(digest: Digest): Promise<void> {
    return translated(() => del(digest, this.#store));
  }

  /** By digest; what cannot be read is left out. */
  list(): Promise<ReadonlyMap<Digest, Progress>> {
    return translated(async () => new Map((await entries<string, unknown>(this.#store)).flatMap(parseEntry)));
  }
}

function parseRecord(value: unknown): Progress | undefined {
  const parsed = v.safeParse(record, value);
  return parsed.success ? parsed.output : undefined;
}

function parseEntry([key, value]: [string, unknown]): [Digest, Progress][] {
  const progress = parseRecord(value);
  return progress && isDigest(key) ? [[key, progress]] : [];
}
