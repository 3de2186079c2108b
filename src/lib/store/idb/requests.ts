/** Request records in IndexedDB. Entry and record of a request lie in one store under two keys, so that one transaction writes both. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { translated } from './translated.ts';

interface Stored {
  readonly id: string;
  readonly entry: unknown;
  readonly record: unknown;
}

const entryKey = (id: string) => `entry ${id}`;
const recordKey = (id: string) => `record ${id}`;

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

  put(requests: readonly Stored[]): Promise<void> {
    return this.#change((store) => {
      for (const { id, entry, record } of requests) {
        store.put(entry, entryKey(id));
        store.put(record, recordKey(id));
      }
    });
  }

  remove(ids: readonly string[]): Promise<void> {
    return this.#change((store) => {
      for (const id of ids) {
        store.delete(entryKey(id));
        store.delete(recordKey(id));
      }
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
