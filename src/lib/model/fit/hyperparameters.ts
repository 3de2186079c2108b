/** The sizes of a GGUF model, as its metadata names them below the name of its architecture. */
import type { GgufScalar, GgufValue } from '#lib/model/gguf-cursor.ts';

/** llama.cpp refuses more. */
const maxLayers = 512;

export class Hyperparameters {
  readonly architecture: string;
  /** Without those that only predict further tokens, which this engine does not run. */
  readonly layers: number;
  readonly #metadata: ReadonlyMap<string, GgufValue>;

  constructor(metadata: ReadonlyMap<string, GgufValue>) {
    this.#metadata = metadata;
    const architecture = metadata.get('general.architecture');
    this.architecture = typeof architecture === 'string' ? architecture : '';
    const blocks = this.count('block_count') ?? 0;
    this.layers = Math.max(0, Math.min(blocks, maxLayers) - (this.count('nextn_predict_layers') ?? 0));
  }

  /** A whole number, not negative. */
  count(key: string): number | undefined {
    return whole(this.#value(key));
  }

  /** Booleans as 0 and 1. `undefined` for what is no array. */
  list(key: string): readonly number[] | undefined {
    const value = this.#value(key);
    return isArray(value) ? value.items.map((item) => whole(item) ?? 0) : undefined;
  }

  /**
   * One value for all layers, or one each. A header keeps the first 50 items; for layers beyond them the largest of
   * these stands, so that nothing is counted short. `readGgufArrays` brings the rest.
   */
  ofLayer(key: string, layer: number): number | undefined {
    const list = this.list(key);
    return list ? (list[layer] ?? Math.max(0, ...list)) : this.count(key);
  }

  /** Tokens of the vocabulary. */
  get vocabulary(): number {
    const tokens = this.#metadata.get('tokenizer.ggml.tokens');
    return isArray(tokens) ? tokens.count : (this.count('vocab_size') ?? 0);
  }

  #value(key: string): GgufValue | undefined {
    return this.#metadata.get(`${this.architecture}.${key}`);
  }
}

/** The keys whose arrays go by layer, for `readGgufArrays`. */
export function layerKeys(architecture: string): ReadonlySet<string> {
  const keys = ['attention.head_count', 'attention.head_count_kv', 'attention.sliding_window_pattern'];
  return new Set([...keys, 'feed_forward_length'].map((key) => `${architecture}.${key}`));
}

function isArray(value: GgufValue | undefined): value is Extract<GgufValue, { items: unknown }> {
  return typeof value === 'object' && 'items' in value;
}

function whole(value: GgufValue | GgufScalar | undefined): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
