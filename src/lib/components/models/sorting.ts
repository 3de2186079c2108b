/** The order and the filter of the list of local models. */
import type { LocalModel } from '#lib/state/models.svelte.ts';

export type SortKey = 'used' | 'added' | 'size' | 'name';

export const sortLabels: Readonly<Record<SortKey, string>> = {
  used: 'Last used',
  added: 'Newest',
  size: 'Size',
  name: 'Name',
};

const orders: Readonly<Record<SortKey, (a: LocalModel, b: LocalModel) => number>> = {
  // What was never used stands where it was added.
  used: (a, b) => (b.lastUsedMs ?? b.createdMs) - (a.lastUsedMs ?? a.createdMs),
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
