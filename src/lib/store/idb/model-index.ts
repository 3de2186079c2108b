/** Names for models, in IndexedDB. One record a model, its tags inside, so that one transaction changes both. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import { byAge, withoutTag, withTag } from '#lib/store/index-rules.ts';
import type { IndexedModel, ModelIndex } from '#lib/store/port.ts';

export class IdbModelIndex implements ModelIndex {
  readonly #store: UseStore;

  constructor(databaseName = 'sampan-models') {
    this.#store = createStore(databaseName, 'models');
  }

  async list(): Promise<readonly IndexedModel[]> {
    return byAge(await this.#read(readAll));
  }

  get(id: Digest): Promise<IndexedModel | undefined> {
    return this.#read(async (models) => parseRecord(await promisifyRequest<unknown>(models.get(id))));
  }

  async find(tag: string): Promise<IndexedModel | undefined> {
    const models = await this.#read(readAll);
    return models.find(({ tags }) => tags.includes(tag));
  }

  put(model: Omit<IndexedModel, 'tags'>, tag: string): Promise<void> {
    return this.#change((models) => withTag(models, model, tag));
  }

  untag(tag: string): Promise<void> {
    return this.#change((models) => withoutTag(models, tag));
  }

  remove(id: Digest): Promise<void> {
    return this.#write(async (models) => {
      await promisifyRequest(models.delete(id));
    });
  }

  #change(plan: (models: readonly IndexedModel[]) => readonly IndexedModel[]): Promise<void> {
    return this.#write(async (models) => {
      for (const changed of plan(await readAll(models))) models.put(changed, changed.id);
    });
  }

  async #read<T>(query: (models: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      return await this.#store('readonly', query);
    } catch (error) {
      throw toApiError(error);
    }
  }

  async #write(change: (models: IDBObjectStore) => Promise<void>): Promise<void> {
    try {
      await this.#store('readwrite', async (models) => {
        const done = promisifyRequest(models.transaction);
        await Promise.all([change(models).catch((error: unknown) => abort(models, error)), done]);
      });
    } catch (error) {
      throw toApiError(error);
    }
  }
}

/** Without this, what was put before the failure would be kept. */
function abort(models: IDBObjectStore, reason: unknown): never {
  models.transaction.abort();
  throw reason;
}

const bytes = v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array);

const record = v.object({
  id: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  manifest: bytes,
  config: bytes,
  tags: v.array(v.string()),
  addedAtMs: v.number(),
});

/** A record that cannot be read is as good as absent: its model can be pulled again, its blobs are still there. */
function parseRecord(value: unknown): IndexedModel | undefined {
  const parsed = v.safeParse(record, value);
  return parsed.success ? parsed.output : undefined;
}

async function readAll(models: IDBObjectStore): Promise<readonly IndexedModel[]> {
  const records = await promisifyRequest<unknown[]>(models.getAll());
  return records.map(parseRecord).filter((model) => model !== undefined);
}
