/** What the config beside the weights says about a model. */
import * as v from 'valibot';
import { parseMlcConfig } from '#lib/model/mlc.ts';
import type { FolderFacts } from '#lib/model/package-files.ts';
import type { HubFolder } from './folder.ts';

type Facts = Omit<FolderFacts, 'format' | 'createdAtMs'>;

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

/** `bytes` are those of the folder's facts file. Throws `unsupported_model_format` for an MLC config that is none. */
export function readFacts({ format }: HubFolder, bytes: Uint8Array | undefined): Facts {
  if (format === 'mlc') return { ...parseMlcConfig(bytes ?? new Uint8Array()), parameters: '' };
  const config = v.safeParse(schema, parseJson(bytes));
  // Kept for another program, so a config that this one does not understand is no reason to refuse.
  if (!config.success) return { architecture: '', quantization: '', parameters: '' };
  const { model_type, torch_dtype, dtype, max_position_embeddings, quantization_config } = config.output;
  const quantization = quantization_config?.quant_method || torch_dtype || dtype;
  return {
    architecture: model_type,
    quantization,
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
