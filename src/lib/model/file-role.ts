/** What a file of a model is for, told by its name alone. */

export type FileRole =
  | 'weights'
  | 'projector'
  | 'adapter'
  | 'template'
  | 'license'
  | 'config'
  | 'tokenizer'
  | 'library'
  | 'document'
  | 'other';

/** In order: the first that fits the name of the file, without folders and in lower case. */
const rules: readonly (readonly [RegExp, FileRole])[] = [
  [/mmproj.*\.gguf$/, 'projector'],
  [/^(lora|adapter)([-_.].*)?\.gguf$|[-_.]lora\.gguf$/, 'adapter'],
  [/^adapter_model\.(safetensors|bin)$/, 'adapter'],
  [/\.(gguf|safetensors|dduf|bin|pt|pth|onnx)$/, 'weights'],
  [/\.jinja2?$/, 'template'],
  [/\.wasm$/, 'library'],
  [/^(tokenizer|vocab|merges|added_tokens|special_tokens_map|chat_template)([._].*)?$/, 'tokenizer'],
  [/\.(vocab|tiktoken|spm)$/, 'tokenizer'],
  [/^(licen[cs]e|copying|notice)([-_. ].*)?$/, 'license'],
  [/\.(json|ya?ml|toml|cfg|ini)$/, 'config'],
  [/\.(md|txt|rst|pdf|html)$/, 'document'],
  [/^readme/, 'document'],
];

export function fileRole(path: string): FileRole {
  const name = baseName(path).toLowerCase();
  return rules.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}

/** Without folders. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export interface ShardName {
  /** From 1. */
  readonly number: number;
  readonly total: number;
  /** What all shards of one model have in common. */
  readonly stem: string;
}

/** `x-00002-of-00003.gguf`, as llama.cpp names the pieces of a split model. */
export function parseShardName(path: string): ShardName | undefined {
  const [, stem, number, total] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(path) ?? [];
  if (stem === undefined) return undefined;
  return { stem, number: Number(number), total: Number(total) };
}
