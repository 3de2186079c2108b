/** The sizes of an MLC model, from its `mlc-chat-config.json`: each family spells them in its own way. */
import * as v from 'valibot';

export interface MlcSizes {
  /** `llama`, `qwen2`. */
  readonly modelType: string;
  /** `q4f16_1`. */
  readonly quantization: string;
  /** Those that attend, and keep what they have seen. */
  readonly attentionLayers: number;
  readonly hiddenSize: number;
  readonly networkSize: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
  /** The first and the last matrix are one. */
  readonly tied: boolean;
  /** Prompt tokens computed at once, as the library was built. */
  readonly prefillChunk: number;
}

const count = v.fallback(v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))), undefined);
const flag = v.fallback(v.optional(v.boolean()), undefined);

const sizes = v.object({
  hidden_size: count,
  n_embd: count,
  intermediate_size: count,
  n_inner: count,
  num_hidden_layers: count,
  n_layer: count,
  num_attention_heads: count,
  n_head: count,
  num_key_value_heads: count,
  head_dim: count,
  vocab_size: count,
  tie_word_embeddings: flag,
  prefill_chunk_size: count,
  full_attention_interval: count,
});

type Sizes = v.InferOutput<typeof sizes>;

const schema = v.object({
  model_type: v.string(),
  quantization: v.string(),
  prefill_chunk_size: count,
  model_config: v.object({ ...sizes.entries, text_config: v.fallback(v.optional(sizes), undefined) }),
});

const usualChunk = 1024;
/** Where a config does not say it. */
const usualNetwork = 4;

/** `undefined` for a config that does not say its sizes, or not in a way that is known here. */
export function parseMlcSizes(config: unknown): MlcSizes | undefined {
  const parsed = v.safeParse(schema, config);
  if (!parsed.success) return undefined;
  const { model_type: modelType, quantization, model_config: outer } = parsed.output;
  // A model that sees too keeps the sizes of its text part apart.
  const text = outer.text_config ?? outer;
  const hiddenSize = text.hidden_size ?? text.n_embd;
  const layers = text.num_hidden_layers ?? text.n_layer;
  const heads = text.num_attention_heads ?? text.n_head;
  const vocabularySize = text.vocab_size ?? outer.vocab_size;
  if (!hiddenSize || !layers || !heads || !vocabularySize) return undefined;
  return {
    modelType,
    quantization,
    attentionLayers: attentionLayers(text, layers),
    hiddenSize,
    networkSize: text.intermediate_size ?? text.n_inner ?? usualNetwork * hiddenSize,
    kvHeads: text.num_key_value_heads ?? heads,
    headSize: text.head_dim ?? Math.floor(hiddenSize / heads),
    vocabularySize,
    tied: text.tie_word_embeddings ?? outer.tie_word_embeddings ?? false,
    prefillChunk: parsed.output.prefill_chunk_size ?? outer.prefill_chunk_size ?? usualChunk,
  };
}

function attentionLayers({ full_attention_interval: interval }: Sizes, layers: number): number {
  return interval === undefined ? layers : Math.floor(layers / interval);
}
