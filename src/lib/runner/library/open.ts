/** Opens a stored model for its engine: files in place, none copied. */
import { ApiError } from '#lib/core/errors.ts';
import type { LoadableModel } from '#lib/engine/port.ts';
import { ggufFiles, judgeFiles, modelFiles } from '#lib/model/files.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';

/** Throws `unsupported_model_format` when nothing here runs it, and `digest_mismatch` when a file of it is gone. */
export async function openModel(library: Library, model: IndexedModel): Promise<LoadableModel> {
  const { artifact } = library.partsOf(model);
  if (artifact.obstacle !== undefined) throw new ApiError('unsupported_model_format', artifact.obstacle);
  const files = await modelFiles(artifact, (digest) => library.blob(digest));
  const { engine, obstacle } = judgeFiles(artifact, files);
  if (obstacle !== undefined) throw new ApiError('unsupported_model_format', obstacle);
  const chatTemplate = await files.find(({ role }) => role === 'template')?.blob.text();
  const { id } = model;
  if (engine === 'webllm') {
    return { kind: 'mlc', id, chatTemplate, files: new Map(files.map(({ path, blob }) => [path, blob])) };
  }
  return { kind: 'gguf', id, chatTemplate, weights: ggufFiles(files).map(({ blob }) => blob) };
}
