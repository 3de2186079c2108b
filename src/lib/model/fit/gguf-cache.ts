/**
 * The bytes of llama.cpp's cache, as `llama-kv-cache.cpp`, `llama-kv-cache-iswa.cpp` and `llama-memory-recurrent.cpp`
 * reserve them when all slots share one context (`kv_unified`). Tests hold it against the engine's own log.
 */
import type { CacheType } from '#lib/model/wire.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import { recurrentBytes, type RecurrentLayers } from './recurrent.ts';
import { slidingWindow } from './sliding-window.ts';

export interface CacheOptions {
  /** Tokens; the engine rounds it up to 256. */
  readonly contextSize: number;
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  readonly parallel: number;
  /** Tokens computed at once (`n_ubatch`). */
  readonly batch: number;
  readonly flashAttention: boolean;
}

const cellsStep = 256;

/** Bytes of a block and the values in it. */
const blocks: Readonly<Record<CacheType, readonly [bytes: number, values: number]>> = {
  f32: [4, 1],
  f16: [2, 1],
  q8_0: [34, 32],
  q5_1: [24, 32],
  q5_0: [22, 32],
  q4_1: [20, 32],
  q4_0: [18, 32],
};

/** They look at a text once and keep nothing of it. */
const withoutCache: ReadonlySet<string> = new Set([
  'bert',
  'dream',
  'eurobert',
  'gemma-embedding',
  'jina-bert-v2',
  'jina-bert-v3',
  'llada',
  'llada-moe',
  'modern-bert',
  'neo-bert',
  'nomic-bert',
  'nomic-bert-moe',
  'rnd1',
  'wavtokenizer-dec',
]);

/** What is cached for each token, over all layers of one kind. */
interface Width {
  readonly keys: number;
  readonly values: number;
}

export function cacheBytes(parameters: Hyperparameters, options: CacheOptions): number {
  if (withoutCache.has(parameters.architecture)) return 0;
  const { recurrent, bytes } = recurrentBytes(parameters);
  const window = slidingWindow(parameters);
  const cells = paddedContext(options.contextSize);
  const windowCells = window ? windowedCells(window.tokens, cells, options) : 0;
  return (
    sumOf(cachedLayers(parameters, recurrent), (layer) => {
      const inWindow = window?.has(layer) ?? false;
      return (
        layerBytes(widthOf(parameters, layer, inWindow, options), options) * (inWindow ? windowCells : cells)
      );
    }) +
    bytes * Math.max(1, options.parallel)
  );
}

export function paddedContext(contextSize: number): number {
  return Math.ceil(contextSize / cellsStep) * cellsStep;
}

/** The window of each slot, and room for what is being computed. */
function windowedCells(tokens: number, cells: number, { parallel, batch }: CacheOptions): number {
  return paddedContext(Math.min(cells, tokens * Math.max(1, parallel) + batch));
}

/** Layers beyond the first ones may use the cache of those (gemma3n, gemma4). */
function cachedLayers(parameters: Hyperparameters, recurrent: RecurrentLayers): number[] {
  const shared = parameters.count('attention.shared_kv_layers') ?? 0;
  const own = Array.from({ length: Math.max(0, parameters.layers - shared) }, (_, layer) => layer);
  return recurrent.attendToo ? own : own.filter((layer) => !recurrent.has(layer));
}

function widthOf(
  parameters: Hyperparameters,
  layer: number,
  inWindow: boolean,
  { flashAttention }: CacheOptions,
): Width {
  const keys = kvHeads(parameters, layer) * headLength(parameters, 'key', inWindow);
  // Of multi-head latent attention the keys hold the values too.
  if ((parameters.count('attention.key_length_mla') ?? 0) > 0) return { keys, values: 0 };
  const values = (of: number) => kvHeads(parameters, of) * headLength(parameters, 'value', inWindow);
  // Without flash attention the values lie transposed, in rows as long as the longest.
  const longest = () => Math.max(...Array.from({ length: parameters.layers }, (_, other) => values(other)));
  return { keys, values: flashAttention ? values(layer) : longest() };
}

function layerBytes({ keys, values }: Width, { cacheTypeK, cacheTypeV }: CacheOptions): number {
  return rowBytes(keys, cacheTypeK) + rowBytes(values, cacheTypeV);
}

function rowBytes(count: number, type: CacheType): number {
  const [bytes, values] = blocks[type];
  return (count / values) * bytes;
}

function kvHeads(parameters: Hyperparameters, layer: number): number {
  return parameters.ofLayer('attention.head_count_kv', layer) ?? heads(parameters, layer);
}

export function heads(parameters: Hyperparameters, layer: number): number {
  return parameters.ofLayer('attention.head_count', layer) ?? 0;
}

export function headLength(parameters: Hyperparameters, of: 'key' | 'value', inWindow: boolean): number {
  const windowed = inWindow ? parameters.count(`attention.${of}_length_swa`) : undefined;
  return windowed ?? parameters.count(`attention.${of}_length`) ?? evenShare(parameters);
}

function evenShare(parameters: Hyperparameters): number {
  const first = heads(parameters, 0);
  return first === 0 ? 0 : Math.floor((parameters.count('embedding_length') ?? 0) / first);
}

function sumOf(layers: readonly number[], bytes: (layer: number) => number): number {
  return layers.reduce((sum, layer) => sum + bytes(layer), 0);
}
