/** The records on the disk. Writes follow one another, and reads come after them. */
import { toApiError } from '#lib/core/errors.ts';
import type { RequestJson } from '#lib/model/wire-requests.ts';
import { parseEntry, type Entry } from './entry.ts';
import { liftMedia, restoreMedia } from './media.ts';
import { parseRecord } from './parse.ts';
import type { RequestStore, StoredMedia, StoredRequest } from './port.ts';

export interface Archived {
  readonly id: string;
  readonly entry: Entry;
  readonly record: RequestJson;
}

export class Archive {
  readonly #store: RequestStore;
  readonly #onError: (thrown: unknown) => void;
  /** Media keys by record. */
  readonly #media = new Map<string, ReadonlySet<string>>();
  #writing: Promise<void> = Promise.resolve();

  /** `onError` hears of writes that nobody waits for. */
  constructor(store: RequestStore, onError: (thrown: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** What cannot be read is left out. */
  async entries(): Promise<readonly Entry[]> {
    const entries = (await this.#store.entries()).map(parseEntry).filter((entry) => entry !== undefined);
    for (const { row, media } of entries) if (media) this.#media.set(row.id, new Set(media));
    return entries;
  }

  async get(id: string): Promise<RequestJson | undefined> {
    await this.#writing;
    const record = parseRecord(await this.#store.get(id));
    const keys = this.#media.get(id);
    if (!record || !keys) return record;
    const { request_body: body } = record;
    const text = await restoreMedia(body.text, keys, (key) => this.#store.media(key));
    return { ...record, request_body: { ...body, text } };
  }

  put(requests: readonly Archived[]): Promise<void> {
    return this.#write(() => this.#put(requests));
  }

  /** As `put` for who cannot wait: a failure is told and else without effect. */
  keep(request: Archived): void {
    this.#unawaited(this.put([request]));
  }

  drop(ids: readonly string[]): void {
    this.#unawaited(this.#write(() => this.#remove(ids)));
  }

  /** Resolves when everything that was asked for until now is written or has failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #put(requests: readonly Archived[]): Promise<void> {
    const lifted = await Promise.all(requests.map(lift));
    await this.#store.put(
      lifted.map(({ request }) => request),
      lifted.flatMap(({ media }) => media),
    );
    for (const { request, media } of lifted) {
      if (media.length > 0) this.#media.set(request.id, new Set(media.map(({ key }) => key)));
    }
  }

  /** Media go with the last record that holds them. */
  async #remove(ids: readonly string[]): Promise<void> {
    const held = ids.flatMap((id) => [...(this.#media.get(id) ?? [])]);
    for (const id of ids) this.#media.delete(id);
    const needed = new Set([...this.#media.values()].flatMap((keys) => [...keys]));
    await this.#store.remove(
      ids,
      [...new Set(held)].filter((key) => !needed.has(key)),
    );
  }

  #write(work: () => Promise<void>): Promise<void> {
    const written = this.#writing.then(work);
    this.#writing = written.catch(() => undefined);
    return written;
  }

  #unawaited(written: Promise<void>): void {
    void written.catch((thrown: unknown) => this.#onError(toApiError(thrown)));
  }
}

async function lift({ id, entry, record }: Archived): Promise<{
  readonly request: StoredRequest;
  readonly media: readonly StoredMedia[];
}> {
  const { text, media } = await liftMedia(record.request_body.text);
  if (media.length === 0) return { request: { id, entry, record }, media };
  const keys = media.map(({ key }) => key);
  const request_body = { ...record.request_body, text };
  return { request: { id, entry: { ...entry, media: keys }, record: { ...record, request_body } }, media };
}
