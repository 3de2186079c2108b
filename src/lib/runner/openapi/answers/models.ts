/** How stored models are described: Docker Model Runner's shapes, then our own. */
import * as v from 'valibot';
import type { Capabilities } from '#lib/model/capabilities.ts';
import type {
  BlobJson,
  FileJson,
  FitJson,
  InForceJson,
  LocalModelJson,
  MetadataJson,
  ModelDetailJson,
  ModelJson,
  ProgressJson,
  PruneJson,
  RepairJson,
  UploadJson,
} from '#lib/model/wire.ts';
import { modelSettings } from '#lib/runner/configure/settings.ts';
import { digest } from '#lib/runner/endpoints/body.ts';
import { error, failedLine, number, values, whole, word, words, yes } from './common.ts';

const modelFields = {
  id: digest,
  created: whole,
  config: v.object({
    format: word,
    quantization: word,
    parameters: word,
    architecture: word,
    size: word,
    gguf: v.exactOptional(words),
    context_size: v.exactOptional(whole),
  }),
  size_bytes: whole,
};

export const model: v.GenericSchema<ModelJson> = v.object({ ...modelFields, tags: v.array(word) });

/** A model in a registry has no tags of this browser. */
export const inspectedModel = v.object({ ...modelFields, tags: v.exactOptional(v.array(word)) });

export const localModel: v.GenericSchema<LocalModelJson> = v.object({
  ...modelFields,
  tags: v.array(word),
  own_bytes: whole,
  last_used: v.exactOptional(whole),
  engine: v.exactOptional(v.picklist(['llama.cpp', 'webllm'])),
  obstacle: v.exactOptional(word),
  missing_files: v.exactOptional(whole),
});

export const localModels = v.array(localModel);

const file: v.GenericSchema<FileJson> = v.object({
  path: word,
  role: word,
  media_type: word,
  digest,
  size_bytes: whole,
  stored: yes,
  shared_with: v.array(word),
});

const cacheType = v.picklist(['f32', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0']);

const inForce: v.GenericSchema<InForceJson> = v.object({
  context_size: whole,
  keep_alive: word,
  gpu_layers: whole,
  threads: whole,
  cache_type_k: cacheType,
  cache_type_v: cacheType,
  flash_attention: yes,
  parallel: whole,
  outdated: yes,
});

const fit: v.GenericSchema<FitJson> = v.object({
  verdict: v.picklist(['fits', 'tight', 'too-large']),
  need_bytes: whole,
  have_bytes: v.exactOptional(whole),
  sentence: word,
  fitting_context_size: v.exactOptional(whole),
});

const capabilities: v.GenericSchema<Capabilities> = v.object({
  chat: yes,
  tools: yes,
  vision: yes,
  audio: yes,
  embedding: yes,
  rerank: yes,
  reasoning: yes,
  fim: yes,
});

export const modelDetail = v.object({
  model: localModel,
  packaging: word,
  files: v.array(file),
  chat_template: v.exactOptional(v.object({ text: word, from: v.picklist(['artifact', 'gguf']) })),
  notes: v.array(word),
  manifest: v.unknown(),
  config: v.unknown(),
  settings: modelSettings,
  in_force: v.exactOptional(inForce),
  capabilities: v.exactOptional(capabilities),
  fit: v.exactOptional(fit),
}) satisfies v.GenericSchema<unknown, Omit<ModelDetailJson, 'settings'>>;

export const metadata: v.GenericSchema<MetadataJson> = v.object({
  entries: v.array(v.object({ key: word, type: word, value: word, count: v.exactOptional(whole) })),
});

export const deletion = v.union([v.object({ Untagged: word }), v.object({ Deleted: word })]);

export const discarded = v.object({ id: digest });

export const tagged = v.object({ message: word, target: word });

export const repackaged = v.object({ message: word, source: word, target: word });

export const progress: v.GenericSchema<ProgressJson> = v.object({
  type: v.picklist(['progress', 'success', 'warning', 'error']),
  message: word,
  total: whole,
  layer: v.object({ id: v.exactOptional(word), size: whole, current: whole }),
  mode: v.picklist(['pull', 'push']),
  error: v.exactOptional(error),
});

const blobFields = { digest, size_bytes: whole };

export const blob: v.GenericSchema<BlobJson> = v.object(blobFields);

export const uploadLine: v.GenericSchema<UploadJson> = v.variant('type', [
  v.object({ type: v.literal('progress'), done_bytes: whole, total_bytes: whole }),
  v.object({ type: v.literal('stored'), ...blobFields }),
  failedLine,
]);

export const repairLine: v.GenericSchema<RepairJson> = v.variant('type', [
  v.object({ type: v.literal('progress'), checked_bytes: whole, total_bytes: whole }),
  v.object({ type: v.literal('damaged'), digest, path: word, missing: yes }),
  v.object({ type: v.literal('done'), damaged: whole, pull: v.exactOptional(word) }),
  failedLine,
]);

export const pruned: v.GenericSchema<PruneJson> = v.object({ removed_blobs: whole, freed_bytes: whole });

/** One entry of `_configure`: names as Docker Model Runner's Go code writes them. */
export const configured = v.object({
  Backend: word,
  Model: word,
  ModelID: digest,
  Mode: v.picklist(['completion', 'embedding', 'reranking']),
  Config: v.object({
    'context-size': v.exactOptional(whole),
    keep_alive: v.exactOptional(word),
    llamacpp: v.exactOptional(v.object({ 'reasoning-budget': number })),
    sampan: v.exactOptional(values),
  }),
});
