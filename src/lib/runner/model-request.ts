/** A stored model as the scheduler wants to hear of it: its name for people and the context it gets. */
import { parseGoDuration } from '#lib/core/go-duration.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';
import { familiarReference, parseReference } from '#lib/model/reference.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library/library.ts';
import { openModel } from './library/open.ts';
import type { ModelRequest } from './scheduler.ts';

/** Enough for a conversation, small enough for every machine; the trained context may be 128 times that. */
const defaultContextSize = 4096;

/** What the settings ask for, as the scheduler takes it; the trained context is never exceeded. */
export function modelRequest(
  library: Library,
  model: IndexedModel,
  settings: ModelSettingsJson,
): ModelRequest {
  const trained = library.describe(model).config.context_size ?? Infinity;
  return {
    id: model.id,
    name: displayName(model),
    config: {
      contextSize: Math.min(trained, settings.context_size ?? defaultContextSize),
      gpuLayers: settings.gpu_layers,
      threads: settings.threads,
      cacheTypeK: settings.cache_type_k,
      cacheTypeV: settings.cache_type_v,
      flashAttention: settings.flash_attention,
      thinkBudget: settings.think_budget,
    },
    keepAliveMs: settings.keep_alive === undefined ? undefined : parseGoDuration(settings.keep_alive),
    open: () => openModel(library, model),
  };
}

/** The first tag as a person would type it, or the short id. */
export function displayName(model: IndexedModel): string {
  const [tag] = model.tags;
  return tag === undefined
    ? model.id.slice('sha256:'.length, 'sha256:'.length + 12)
    : familiarReference(parseReference(tag));
}
