/** Request records in IndexedDB. Entry and record of a request lie in one store under two keys, so that one transaction writes both. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { translated } from './translated.ts';

interface Stored {
  readonly id: string;
  readonly entry: unknown;
  readonly record: unknown;
}

interface Media {
  readonly key: string;
  readonly text: string;
}

const entryKey = (id: string) => `entry ${id}`;
const recordKey = (id: string) => `record ${id}`;
const mediaKey = (key: string) => `media ${key}`;

/** Implements the runner's `RequestStore`. */
export class IdbRequests {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-requests') {
    this.#store = createStore(databaseName, 'requests');
  }

  entries(): Promise<readonly unknown[]> {
    const all = IDBKeyRange.bound(entryKey(''), entryKey('\uffff'));
    return translated(() =>
      this.#store('readonly', (store) => promisifyRequest<unknown[]>(store.getAll(all))),
    );
  }

  get(id: string): Promise<unknown> {
    return translated(() =>
      this.#store('readonly', (store) => promisifyRequest<unknown>(store.get(recordKey(id)))),
    );
  }

  media(key: string): Promise<unknown> {
    return translated(() =>
      this.#store('readonly', (store) => promisifyRequest<unknown>(store.get(mediaKey(key)))),
    );
  }

  put(requests: readonly Stored[], media: readonly Media[] = []): Promise<void> {
    return this.#change((store) => {
      for (const { id, entry, record } of requests) {
        store.put(entry, entryKey(id));
        store.put(record, recordKey(id));
      }
      for (const { key, text } of media) store.put(text, mediaKey(key));
    });
  }

  remove(ids: readonly string[], mediaKeys: readonly string[] = []): Promise<void> {
    return this.#change((store) => {
      for (const id of ids) {
        store.delete(entryKey(id));
        store.delete(recordKey(id));
      }
      for (const key of mediaKeys) store.delete(mediaKey(key));
    });
  }

  clear(): Promise<void> {
    return this.#change((store) => void store.clear());
  }

  #change(work: (store: IDBObjectStore) => void): Promise<void> {
    return translated(() =>
      this.#store('readwrite', (store) => {
        const done = promisifyRequest(store.transaction);
        try {
          work(store);
        } catch (thrown) {
          // What was put before the failure must not stay.
          store.transaction.abort();
          return done.then(
            () => undefined,
            () => Promise.reject(thrown as Error),
          );
        }
        return done;
      }),
    );
  }
}
