/** The records on the disk. Writes follow one another, and reads come after them. */
import { toApiError } from '#lib/core/errors.ts';
import type { RequestJson } from '#lib/model/wire-requests.ts';
import { parseEntry, type Entry } from './entry.ts';
import { parseRecord } from './parse.ts';
import type { RequestStore } from './port.ts';

export interface Archived {
  readonly id: string;
  readonly entry: Entry;
  readonly record: RequestJson;
}

export class Archive {
  readonly #store: RequestStore;
  readonly #onError: (thrown: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  /** `onError` hears of writes that nobody waits for. */
  constructor(store: RequestStore, onError: (thrown: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** What cannot be read is left out. */
  async entries(): Promise<readonly Entry[]> {
    return (await this.#store.entries()).map(parseEntry).filter((entry) => entry !== undefined);
  }

  async get(id: string): Promise<RequestJson | undefined> {
    await this.#writing;
    return parseRecord(await this.#store.get(id));
  }

  put(requests: readonly Archived[]): Promise<void> {
    return this.#write(() => this.#store.put(requests));
  }

  /** As `put` for who cannot wait: a failure is told and else without effect. */
  keep(request: Archived): void {
    this.#unawaited(this.put([request]));
  }

  drop(ids: readonly string[]): void {
    this.#unawaited(this.#write(() => this.#store.remove(ids)));
  }

  /** Resolves when everything that was asked for until now is written or has failed. */
  settled(): Promise<void> {
    return this.#writing;
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
