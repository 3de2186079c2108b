/** What `config.json` beside safetensors weights says about a model. */
import * as v from 'valibot';
import type { FolderFacts } from '#lib/model/package-files.ts';

export type Facts = Omit<FolderFacts, 'createdAtMs'>;

const word = v.fallback(v.optional(v.pipe(v.string(), v.maxLength(100)), ''), '');

/** Of `transformers`; a field of another type is as good as none. */
const schema = v.object({
  model_type: word,
  torch_dtype: word,
  dtype: word,
  max_position_embeddings: v.fallback(
    v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
    undefined,
  ),
  quantization_config: v.fallback(v.optional(v.object({ quant_method: word })), undefined),
});

/** Without bytes, or of a config that is not understood: nothing, for the model is kept for another program. */
export function readFacts(bytes: Uint8Array | undefined): Facts {
  const config = v.safeParse(schema, parseJson(bytes));
  if (!config.success) return { format: 'safetensors', architecture: '', quantization: '', parameters: '' };
  const { model_type, torch_dtype, dtype, max_position_embeddings, quantization_config } = config.output;
  return {
    format: 'safetensors',
    architecture: model_type,
    quantization: quantization_config?.quant_method || torch_dtype || dtype,
    parameters: '',
    contextSize: max_position_embeddings,
  };
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
