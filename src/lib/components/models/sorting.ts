/** The order and the filter of the list of local models. */
import type { LocalModel } from '#lib/state/models.svelte.ts';

export type SortKey = 'added' | 'size' | 'name';

export const sortLabels: Readonly<Record<SortKey, string>> = { added: 'Newest', size: 'Size', name: 'Name' };

const orders: Readonly<Record<SortKey, (a: LocalModel, b: LocalModel) => number>> = {
  added: (a, b) => b.createdMs - a.createdMs,
  size: (a, b) => b.sizeBytes - a.sizeBytes,
  name: (a, b) => a.title.localeCompare(b.title, 'en', { numeric: true }),
};

/** Those whose title, tags or digest hold the query, in order. */
export function arrange(models: readonly LocalModel[], query: string, key: SortKey): readonly LocalModel[] {
  const wanted = query.trim().toLowerCase();
  const matches = (model: LocalModel) =>
    [model.title, model.id, model.quantization, ...model.tags].some((text) =>
      text.toLowerCase().includes(wanted),
    );
  return models.filter(matches).sort(orders[key]);
}

/** Whether another model could hold the same weights: what a delete frees is then "up to". */
export function mayShareWeights(model: LocalModel, all: readonly LocalModel[]): boolean {
  return all.some(
    (other) =>
      other.id !== model.id &&
      other.parameters === model.parameters &&
      other.quantization === model.quantization,
  );
}
