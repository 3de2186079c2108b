/** WebLLM's own list of models, as `scripts/mlc-models.mjs` wrote it down: where each is and what it needs. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

export interface MlcListEntry {
  /** As WebLLM calls it: `gemma-2b-it-q4f16_1-MLC-1k`. */
  readonly modelId: string;
  /** On Hugging Face: `mlc-ai/gemma-2b-it-q4f16_1-MLC`. */
  readonly repository: string;
  /** Its tag, when it is not the only one of its repository: `1k` has a smaller context, `b32` another library. */
  readonly variant: string | undefined;
  /** To pull it by. */
  readonly reference: string;
  readonly libraryUrl: string;
  readonly kind: 'llm' | 'embedding' | 'vision';
  /** Tokens of context that `vramBytes` is for. */
  readonly contextSize: number | undefined;
  readonly vramBytes: number;
  /** Of the GPU, in WebGPU's words. */
  readonly requiredFeatures: readonly string[];
  /** Meant for phones and small GPUs. */
  readonly lowResource: boolean;
  /** The largest buffer that the GPU must allow, where it is more than every GPU does. */
  readonly bufferSizeBytes: number | undefined;
}

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const schema = v.object({
  models: v.array(
    v.object({
      model_id: word,
      repository: v.pipe(word, v.regex(/^[^/]+\/[^/]+$/)),
      variant: v.optional(word),
      library: v.pipe(v.string(), v.url(), v.regex(/^https:\/\/.+\.wasm$/)),
      kind: v.picklist(['llm', 'embedding', 'vision']),
      context_size: v.optional(count),
      vram_bytes: count,
      required_features: v.array(word),
      low_resource: v.boolean(),
      buffer_size_bytes: v.optional(count),
    }),
  ),
});

type Wire = v.InferOutput<typeof schema>['models'][number];

/** Parses `/mlc-models.json`; throws `internal`. */
export function parseMlcList(text: string): readonly MlcListEntry[] {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output.models.map(entry);
  throw new ApiError(
    'internal',
    'The list of MLC models that came with this app cannot be read. Reload the page, or install Sampan again.',
    { cause: new v.ValiError(parsed.issues) },
  );
}

function entry(wire: Wire): MlcListEntry {
  return {
    modelId: wire.model_id,
    repository: wire.repository,
    variant: wire.variant,
    reference: `hf.co/${wire.repository}${wire.variant === undefined ? '' : `:${wire.variant}`}`,
    libraryUrl: wire.library,
    kind: wire.kind,
    contextSize: wire.context_size,
    vramBytes: wire.vram_bytes,
    requiredFeatures: features(wire),
    lowResource: wire.low_resource,
    bufferSizeBytes: wire.buffer_size_bytes,
  };
}

/** Many entries that compute in 16-bit floats do not say so; the name of the quantization does. */
function features({ repository, required_features: listed }: Wire): readonly string[] {
  const computesInF16 = /q\df16/.test(repository);
  return computesInF16 && !listed.includes('shader-f16') ? [...listed, 'shader-f16'] : listed;
}
