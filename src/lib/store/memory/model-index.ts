/** The memory twin of the model index, for tests that need no browser. */
import type { Digest } from '#lib/core/digest.ts';
import { byAge, withoutTag, withTag } from '#lib/store/index-rules.ts';
import type { IndexedModel, ModelIndex } from '#lib/store/port.ts';

export class MemoryModelIndex implements ModelIndex {
  readonly #models = new Map<Digest, IndexedModel>();

  list(): Promise<readonly IndexedModel[]> {
    return Promise.resolve(byAge([...this.#models.values()]));
  }

  get(id: Digest): Promise<IndexedModel | undefined> {
    return Promise.resolve(this.#models.get(id));
  }

  find(tag: string): Promise<IndexedModel | undefined> {
    return Promise.resolve([...this.#models.values()].find(({ tags }) => tags.includes(tag)));
  }

  put(model: Omit<IndexedModel, 'tags'>, tag: string): Promise<void> {
    return this.#write(withTag([...this.#models.values()], structuredClone(model), tag));
  }

  untag(tag: string): Promise<void> {
    return this.#write(withoutTag([...this.#models.values()], tag));
  }

  remove(id: Digest): Promise<void> {
    this.#models.delete(id);
    return Promise.resolve();
  }

  #write(changed: readonly IndexedModel[]): Promise<void> {
    for (const model of changed) this.#models.set(model.id, model);
    return Promise.resolve();
  }
}
