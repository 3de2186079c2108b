/** A stored model as the scheduler wants to hear of it: its name for people and the context it gets. */
import { familiarReference, parseReference } from '#lib/model/reference.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';
import type { ModelRequest } from './scheduler.ts';

/** Enough for a conversation, small enough for every machine; the trained context may be 128 times that. */
const defaultContextSize = 4096;

export function modelRequest(library: Library, model: IndexedModel): ModelRequest {
  const trained = library.describe(model).config.context_size;
  return {
    id: model.id,
    name: displayName(model),
    contextSize: Math.min(trained ?? defaultContextSize, defaultContextSize),
    open: () => library.open(model),
  };
}

/** The first tag as a person would type it, or the short id. */
export function displayName(model: IndexedModel): string {
  const [tag] = model.tags;
  return tag === undefined
    ? model.id.slice('sha256:'.length, 'sha256:'.length + 12)
    : familiarReference(parseReference(tag));
}
