/** Opens a stored model for its engine: files in place, none copied. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LoadableModel } from '#lib/engine/port.ts';
import type { Artifact } from '#lib/model/artifact.ts';
import { ggufFiles, judgeFiles, modelFiles, type OpenBlob } from '#lib/model/files.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';

/** Throws `unsupported_model_format` when nothing here runs it, and `digest_mismatch` when a file of it is gone. */
export function openModel(library: Library, model: IndexedModel): Promise<LoadableModel> {
  return openArtifact(library.partsOf(model).artifact, model.id, (digest) => library.blob(digest));
}

export async function openArtifact(artifact: Artifact, id: Digest, open: OpenBlob): Promise<LoadableModel> {
  if (artifact.obstacle !== undefined) throw new ApiError('unsupported_model_format', artifact.obstacle);
  const files = await modelFiles(artifact, open);
  const { engine, obstacle } = judgeFiles(artifact, files);
  if (obstacle !== undefined) throw new ApiError('unsupported_model_format', obstacle);
  const chatTemplate = await files.find(({ role }) => role === 'template')?.blob.text();
  if (engine === 'webllm') {
    return { kind: 'mlc', id, chatTemplate, files: new Map(files.map(({ path, blob }) => [path, blob])) };
  }
  return {
    kind: 'gguf',
    id,
    chatTemplate,
    weights: ggufFiles(files).map(({ blob }) => blob),
    projector: files.find(({ role }) => role === 'projector')?.blob,
    adapters: files.filter(({ role }) => role === 'adapter').map(({ blob }) => blob),
  };
}
