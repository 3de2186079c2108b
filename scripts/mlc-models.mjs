// Writes down what WebLLM's own list says of the models that it has libraries for. Run it when the version of
// @mlc-ai/web-llm changes: node scripts/mlc-models.mjs
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { modelLibURLPrefix, ModelType, modelVersion, prebuiltAppConfig } from '@mlc-ai/web-llm';

const target = fileURLToPath(new URL('../static/mlc-models.json', import.meta.url));
const libraries = `${modelLibURLPrefix}${modelVersion}/`;
const hub = 'https://huggingface.co/';
const kinds = { [ModelType.LLM]: 'llm', [ModelType.embedding]: 'embedding', [ModelType.VLM]: 'vision' };

/** In the order of the list, a model a line, so that an update is read line by line. */
export function mlcModelsJson() {
  const lines = prebuiltAppConfig.model_list.map((record) => `  ${JSON.stringify(describe(record))}`);
  return `{"library_version": ${JSON.stringify(modelVersion)}, "models": [\n${lines.join(',\n')}\n]}\n`;
}

function describe(record) {
  const repository = repositoryOf(record);
  return {
    model_id: record.model_id,
    repository,
    variant: variantOf(record.model_id, repository),
    library: libraryOf(record),
    kind: kinds[record.model_type ?? ModelType.LLM],
    context_size: record.overrides?.context_window_size,
    vram_bytes: Math.round(record.vram_required_MB * 2 ** 20),
    required_features: record.required_features ?? [],
    low_resource: record.low_resource_required ?? false,
    buffer_size_bytes: record.buffer_size_required_bytes,
  };
}

function repositoryOf({ model, model_id }) {
  const path = model.startsWith(hub) ? model.slice(hub.length) : '';
  if (/^[^/]+\/[^/]+$/.test(path)) return path;
  throw new Error(`${model_id} is not a repository of Hugging Face: ${model}`);
}

/** What sets a record apart from others of its repository: `1k` is a smaller context, `b32` another library. */
function variantOf(modelId, repository) {
  const name = repository.slice(repository.indexOf('/') + 1);
  return modelId.startsWith(`${name}-`) ? modelId.slice(name.length + 1) : undefined;
}

function libraryOf({ model_lib, model_id }) {
  if (model_lib.startsWith(libraries)) return model_lib;
  throw new Error(`${model_id} has a library of another version: ${model_lib}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(target, mlcModelsJson());
