/** Which model answers next when nobody has just chosen one. */
import type { Conversation } from '#lib/state/conversation.svelte.ts';
import type { Models } from '#lib/state/models.svelte.ts';

/** The wanted one if it is here, else what is loaded, else what was used last, else any. `undefined` without models. */
export function chooseModel(
  models: Models,
  conversations: readonly Conversation[],
  wanted: string | undefined,
): string | undefined {
  const used = conversations.map(({ model }) => model).find((reference) => models.find(reference));
  const candidates = [wanted, models.loaded[0]?.reference, used, models.list?.[0]?.reference];
  return candidates.find((reference) => reference !== undefined && models.find(reference) !== undefined);
}
