/** What a change of the model index changes, as pure functions; the adapters only make it atomic. */
import type { IndexedModel } from './port.ts';

/** The records to write so that `tag` names `model` and no other. */
export function withTag(
  models: readonly IndexedModel[],
  model: Omit<IndexedModel, 'tags'>,
  tag: string,
): readonly IndexedModel[] {
  const known = models.find(({ id }) => id === model.id) ?? { ...model, tags: [] };
  const others = models.filter(({ id }) => id !== model.id);
  const tags = known.tags.includes(tag) ? known.tags : [...known.tags, tag];
  return [...withoutTag(others, tag), { ...known, tags }];
}

/** The records to write so that `tag` names nothing. */
export function withoutTag(models: readonly IndexedModel[], tag: string): readonly IndexedModel[] {
  return models
    .filter(({ tags }) => tags.includes(tag))
    .map((model) => ({ ...model, tags: model.tags.filter((other) => other !== tag) }));
}

/** Oldest first. */
export function byAge(models: readonly IndexedModel[]): readonly IndexedModel[] {
  return models.toSorted((a, b) => a.addedAtMs - b.addedAtMs || (a.id < b.id ? -1 : 1));
}
