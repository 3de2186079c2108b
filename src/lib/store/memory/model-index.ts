/** The memory twin of the model index, for tests that need no browser. */
import type { Digest } from '#lib/core/digest.ts';
import { byAge, withModel, withoutTags, withTag } from '#lib/store/index-rules.ts';
import type { IndexedModel, ModelIndex } from '#lib/store/port.ts';
import { attempt } from './attempt.ts';

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

  put(model: Omit<IndexedModel, 'tags'>, tags: readonly string[]): Promise<void> {
    return this.#change((models) => withModel(models, structuredClone(model), tags));
  }

  tag(id: Digest, tag: string): Promise<void> {
    return this.#change((models) => withTag(models, id, tag));
  }

  touch(id: Digest, lastUsedAtMs: number): Promise<void> {
    const model = this.#models.get(id);
    if (model) this.#models.set(id, { ...model, lastUsedAtMs });
    return Promise.resolve();
  }

  untag(tag: string): Promise<void> {
    return this.#change((models) => withoutTags(models, [tag]));
  }

  remove(id: Digest): Promise<void> {
    this.#models.delete(id);
    return Promise.resolve();
  }

  #change(plan: (models: readonly IndexedModel[]) => readonly IndexedModel[]): Promise<void> {
    return attempt(() => {
      for (const changed of plan([...this.#models.values()])) this.#models.set(changed.id, changed);
    });
  }
}
