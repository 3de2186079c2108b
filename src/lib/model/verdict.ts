/** Who runs a model here, or why nothing does: said in words a person can act on, before its weights are fetched. */
import { architectures } from './architectures.ts';
import { baseName, parseShardName } from './file-role.ts';
import { isGguf, type ModelFormat, type NamedFile } from './model-format.ts';

export type Verdict =
  | { readonly engine: 'llama.cpp' | 'webllm' }
  /** Why not, and what would work. */
  | { readonly obstacle: string }
  /** Its files are inside archives and nothing says what they are: unpack it and judge again. */
  | { readonly undecided: true };

export interface JudgedModel {
  readonly format: ModelFormat;
  /** As the config spells it. */
  readonly claimedFormat: string;
  /** As GGUF spells it; empty when it is not known. */
  readonly architecture: string;
  readonly files: readonly NamedFile[];
  /** `packed`: there may be more files than those that are listed. */
  readonly contents: 'listed' | 'packed';
  /** `by-order`: the layers are the pieces of one model, whatever they are called. */
  readonly shards: 'by-order' | 'by-name';
}

export const whatRuns = 'Sampan runs GGUF and MLC models';
export const whatWorks = 'Pull a variant that is packaged as GGUF instead.';

export function judge(model: JudgedModel): Verdict {
  if (model.format === 'gguf') return judgeGguf(model);
  if (model.format === 'mlc') return judgeMlc(model);
  if (model.format === 'unknown' && model.claimedFormat === '' && model.contents === 'packed') {
    return { undecided: true };
  }
  return { obstacle: `${nameFormat(model)}, and ${whatRuns}. ${whatWorks}` };
}

function judgeGguf({ architecture, files, contents, shards }: JudgedModel): Verdict {
  if (architecture !== '' && !architectures.has(architecture)) {
    return {
      obstacle: `This model has the architecture “${architecture.slice(0, 60)}”, which this version of llama.cpp does not know. Choose another model, or update Sampan.`,
    };
  }
  if (contents === 'packed') return { engine: 'llama.cpp' };
  const weights = files.filter((file) => file.role === 'weights' && isGguf(file));
  if (weights.length === 0) return { obstacle: `${nameWeights(files)}, and ${whatRuns}. ${whatWorks}` };
  return judgeShards(weights, shards) ?? { engine: 'llama.cpp' };
}

function judgeShards(weights: readonly NamedFile[], order: JudgedModel['shards']): Verdict | undefined {
  const shards = weights.flatMap(({ path }) => parseShardName(path) ?? []);
  const [first] = shards;
  if (!first) return weights.length === 1 || order === 'by-order' ? undefined : severalModels;
  const oneModel = shards.every(({ stem, total }) => stem === first.stem && total === first.total);
  if (shards.length < weights.length || !oneModel) return severalModels;
  const numbers = new Set(shards.map(({ number }) => number));
  const whole =
    numbers.size === first.total && Math.min(...numbers) === 1 && Math.max(...numbers) === first.total;
  if (whole && shards.length === first.total) return undefined;
  return {
    obstacle: `This model is split into ${first.total} files and ${numbers.size} of them are there. Pull it from where it is whole.`,
  };
}

const severalModels: Verdict = {
  obstacle:
    'This model has several GGUF files that are not the pieces of one model. Package the one that you want by itself.',
};

function judgeMlc({ files, contents }: JudgedModel): Verdict {
  const names = new Set(files.map(({ path }) => baseName(path)));
  const missing = [
    ...(files.some(({ role }) => role === 'library') ? [] : ['a model library (.wasm)']),
    ...(names.has('tokenizer.json') || names.has('tokenizer.model') ? [] : ['a tokenizer']),
    ...(names.has('mlc-chat-config.json') ? [] : ['mlc-chat-config.json']),
    ...(names.has('tensor-cache.json') || names.has('ndarray-cache.json') ? [] : ['tensor-cache.json']),
  ];
  if (missing.length === 0 || contents === 'packed') return { engine: 'webllm' };
  return {
    obstacle: `This MLC model lacks ${missing.join(' and ')}, without which WebLLM cannot run it. Choose a model of hf.co/mlc-ai, or package it again with all its files.`,
  };
}

function nameFormat({ format, claimedFormat, files }: JudgedModel): string {
  if (format === 'safetensors') return 'This model has safetensors weights';
  if (format === 'dduf') return 'This is a DDUF diffusion model';
  if (format === 'diffusers') return 'This is a diffusion model in the format “diffusers”';
  if (claimedFormat !== '') return `This model's weights are in the format “${claimedFormat.slice(0, 60)}”`;
  return nameWeights(files);
}

/** For a model that says GGUF, or nothing, and has no GGUF file. */
function nameWeights(files: readonly NamedFile[]): string {
  const weights = files.filter(({ role }) => role === 'weights');
  if (weights.some((file) => file.format === 'safetensors' || file.path.endsWith('.safetensors')))
    return 'This model has safetensors weights and no GGUF file';
  if (weights.some((file) => file.format === 'dduf' || file.path.endsWith('.dduf')))
    return 'This is a DDUF diffusion model without a GGUF file';
  if (weights.length === 0 && files.some(({ role }) => role === 'adapter'))
    return 'This is a LoRA adapter without the model that it adapts';
  return 'This model has no weights that are known here and no GGUF file';
}
