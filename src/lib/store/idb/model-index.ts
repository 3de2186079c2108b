/**
 * Names for models, in IndexedDB. One record a model, its tags inside, so that one transaction changes both. What was
 * read is kept: 500 models with their configs are ten megabytes, which take longer to read than a page waits.
 */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { byAge, withModel, withoutTags, withTag } from '#lib/store/index-rules.ts';
import type { IndexedModel, ModelIndex } from '#lib/store/port.ts';
import { translated } from './translated.ts';

/** What is in the database as long as its revision is this one. */
interface Snapshot {
  readonly revision: string;
  readonly models: ReadonlyMap<Digest, IndexedModel>;
}

interface Change {
  readonly written?: readonly IndexedModel[];
  readonly removed?: Digest;
}

/** Beside the models: every change, in any tab, puts another random text there. No model has such an id. */
const revisionKey = 'revision';

export class IdbModelIndex implements ModelIndex {
  readonly #store: UseStore;
  #snapshot: Snapshot | undefined;

  constructor(databaseName = 'sampan-models') {
    this.#store = createStore(databaseName, 'models');
  }

  async list(): Promise<readonly IndexedModel[]> {
    return byAge([...(await this.#read()).values()]);
  }

  async get(id: Digest): Promise<IndexedModel | undefined> {
    return (await this.#read()).get(id);
  }

  async find(tag: string): Promise<IndexedModel | undefined> {
    const models = await this.#read();
    return [...models.values()].find(({ tags }) => tags.includes(tag));
  }

  put(model: Omit<IndexedModel, 'tags'>, tags: readonly string[]): Promise<void> {
    return this.#change((models) => ({ written: withModel(listed(models), structuredClone(model), tags) }));
  }

  tag(id: Digest, tag: string): Promise<void> {
    return this.#change((models) => ({ written: withTag(listed(models), id, tag) }));
  }

  touch(id: Digest, lastUsedAtMs: number): Promise<void> {
    return this.#change((models) => {
      const model = models.get(id);
      return model ? { written: [{ ...model, lastUsedAtMs }] } : {};
    });
  }

  untag(tag: string): Promise<void> {
    return this.#change((models) => ({ written: withoutTags(listed(models), [tag]) }));
  }

  remove(id: Digest): Promise<void> {
    return this.#change(() => ({ removed: id }));
  }

  #read(): Promise<ReadonlyMap<Digest, IndexedModel>> {
    return translated(() => this.#store('readonly', (models) => this.#current(models)));
  }

  async #current(store: IDBObjectStore): Promise<ReadonlyMap<Digest, IndexedModel>> {
    const revision = await promisifyRequest<unknown>(store.get(revisionKey));
    if (this.#snapshot && this.#snapshot.revision === revision) return this.#snapshot.models;
    const models = await readAll(store);
    // Without a revision nobody would tell of the next change.
    if (typeof revision === 'string') this.#snapshot = { revision, models };
    return models;
  }

  #change(plan: (models: ReadonlyMap<Digest, IndexedModel>) => Change): Promise<void> {
    return translated(() =>
      this.#store('readwrite', async (store) => {
        const done = promisifyRequest(store.transaction);
        const changed = this.#apply(store, plan).catch((error: unknown) => abort(store, error));
        // What the database does not keep, memory must not either.
        [this.#snapshot] = await Promise.all([changed, done]);
      }),
    );
  }

  async #apply(
    store: IDBObjectStore,
    plan: (models: ReadonlyMap<Digest, IndexedModel>) => Change,
  ): Promise<Snapshot> {
    const models = new Map(await this.#current(store));
    const { written = [], removed } = plan(models);
    const revision = crypto.randomUUID();
    for (const model of written) {
      store.put(model, model.id);
      models.set(model.id, model);
    }
    if (removed) {
      store.delete(removed);
      models.delete(removed);
    }
    store.put(revision, revisionKey);
    return { revision, models };
  }
}

function listed(models: ReadonlyMap<Digest, IndexedModel>): readonly IndexedModel[] {
  return [...models.values()];
}

/** Without this, what was put before the failure would be kept. */
function abort(store: IDBObjectStore, reason: unknown): never {
  store.transaction.abort();
  throw reason;
}

const bytes = v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array);

const record = v.object({
  id: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  manifest: bytes,
  config: bytes,
  tags: v.array(v.string()),
  addedAtMs: v.number(),
  lastUsedAtMs: v.optional(v.number()),
});

/** A record that cannot be read is as good as absent: its model can be pulled again, its blobs are still there. */
function parseRecord(value: unknown): IndexedModel | undefined {
  const parsed = v.safeParse(record, value);
  return parsed.success ? parsed.output : undefined;
}

async function readAll(store: IDBObjectStore): Promise<ReadonlyMap<Digest, IndexedModel>> {
  const records = await promisifyRequest<unknown[]>(store.getAll());
  const models = records.map(parseRecord).filter((model) => model !== undefined);
  return new Map(models.map((model) => [model.id, model]));
}
