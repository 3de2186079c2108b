/** What a change of the model index changes, as pure functions; the adapters only make it atomic. */
import type { Digest } from '#lib/core/digest.ts';
import { modelGone } from './faults.ts';
import type { IndexedModel } from './port.ts';

/** The records to write so that `tags` name `model` and no other. */
export function withModel(
  models: readonly IndexedModel[],
  model: Omit<IndexedModel, 'tags'>,
  tags: readonly string[],
): readonly IndexedModel[] {
  const known = models.find(({ id }) => id === model.id) ?? { ...model, tags: [] };
  const others = models.filter(({ id }) => id !== model.id);
  return [...withoutTags(others, tags), { ...known, tags: [...new Set([...known.tags, ...tags])] }];
}

/** The records to write so that `tag` names a model that is there. Throws `model_not_found`. */
export function withTag(models: readonly IndexedModel[], id: Digest, tag: string): readonly IndexedModel[] {
  const model = models.find((each) => each.id === id);
  if (!model) throw modelGone();
  return withModel(models, model, [tag]);
}

/** The records to write so that `tags` name nothing. */
export function withoutTags(
  models: readonly IndexedModel[],
  tags: readonly string[],
): readonly IndexedModel[] {
  return models
    .filter((model) => model.tags.some((tag) => tags.includes(tag)))
    .map((model) => ({ ...model, tags: model.tags.filter((tag) => !tags.includes(tag)) }));
}

/** Oldest first. */
export function byAge(models: readonly IndexedModel[]): readonly IndexedModel[] {
  return models.toSorted((a, b) => a.addedAtMs - b.addedAtMs || (a.id < b.id ? -1 : 1));
}
