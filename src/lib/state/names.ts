/** What models are called on the pages: references compared, shortened, and made into titles. */
import { canonicalReference, familiarReference, isModelId, parseReference } from '#lib/model/reference.ts';

/** One string per model, for comparing only; what is no reference stands for itself. */
export function comparable(reference: string): string {
  return rewrite(reference, canonicalReference).toLowerCase();
}

/** For looking things up by any form of their reference, with `comparable`. */
export function byReference<T extends { readonly reference: string }>(
  items: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [comparable(item.reference), item]));
}

/** As a person would type it: no `docker.io/`, `hf.co` for Hugging Face. */
export function shortReference(reference: string): string {
  return rewrite(reference, familiarReference);
}

/** A reference or an ID as it stands in an API path: its slashes stay. */
export function referencePath(reference: string): string {
  return encodeURI(reference).replace(/[?#]/g, encodeURIComponent);
}

/** From a reference alone: `hf.co/unsloth/qwen3-1.7b-gguf:Q4_K_M` → `qwen3-1.7b`, `ai/smollm2:360M-Q4_K_M` → `smollm2 360M`. */
export function titleOf(reference: string): string {
  const [, name = reference, tag = ''] = /([^/:@]+)(?::([^/@]+))?(?:@.*)?$/.exec(reference) ?? [];
  const [size] = /^[\d.]+[mb](?=-|$)/i.exec(tag) ?? [];
  const title = name.replace(/-gguf$/i, '');
  return size ? `${title} ${size}` : title;
}

const layerNames: readonly (readonly [string, string])[] = [
  ['mmproj', 'Projector'],
  ['license', 'Licence'],
  ['template', 'Template'],
  ['config', 'Config'],
  ['gguf', 'Weights'],
];

/** `application/vnd.docker.ai.gguf.v3` → `Weights`: what a layer of a model is for. */
export function layerName(mediaType: string): string {
  return layerNames.find(([part]) => mediaType.includes(part))?.[1] ?? 'File';
}

function rewrite(reference: string, how: typeof canonicalReference): string {
  const text = reference.trim();
  if (isModelId(text)) return text;
  try {
    return how(parseReference(text));
  } catch {
    // A name that only exists in this browser need not be one a registry would take.
    return text;
  }
}
