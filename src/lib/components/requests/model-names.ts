/** Models to filter by: those in this browser, and those that were asked for and are not here. */
import type { RequestRowJson } from '#lib/model/wire-requests.ts';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import { comparable } from '#lib/state/names.ts';

export function modelNames(
  models: readonly LocalModel[] | undefined,
  rows: readonly RequestRowJson[],
): readonly string[] {
  const here = (models ?? []).map(({ reference }) => reference);
  const ids = new Set(models?.map(({ id }) => id));
  const known = new Set(models?.flatMap(({ tags }) => tags.map(comparable)));
  const asked = rows.filter(({ model, model_id: id }) => {
    return model !== '' && !known.has(comparable(model)) && (id === undefined || !ids.has(id));
  });
  return [...new Set([...here, ...asked.map(({ model }) => model)])].sort();
}
