/** The `tensor-cache.json` of an MLC model: which files hold its weights. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

export interface MlcShard {
  /** As the model's packager wrote it: no one has checked that it stays inside of the model. */
  readonly path: string;
  readonly sizeBytes: number;
}

const maxShards = 5000;

const schema = v.object({
  records: v.pipe(
    v.array(
      v.object({
        dataPath: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
        nbytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      }),
    ),
    v.minLength(1),
    v.maxLength(maxShards),
  ),
});

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseMlcShards(bytes: Uint8Array): readonly MlcShard[] {
  const json = new TextDecoder().decode(bytes);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json, { abortEarly: true });
  if (parsed.success)
    return parsed.output.records.map(({ dataPath, nbytes }) => ({ path: dataPath, sizeBytes: nbytes }));
  throw new ApiError(
    'unsupported_model_format',
    'This MLC model’s list of its weights (tensor-cache.json) cannot be read. Choose another model.',
  );
}
