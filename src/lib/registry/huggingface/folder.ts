/** Which files of a repository without GGUF make a model: one that was converted for MLC, or safetensors with their configs. */
import { nameOf, type HubFile } from './select.ts';

export interface HubFolder {
  readonly format: 'mlc' | 'safetensors';
  /** Says what the model is; absent in a repository of bare weights. */
  readonly factsFile: HubFile | undefined;
  readonly files: readonly HubFile[];
}

/** `undefined` when the repository has no weights of either kind. */
export function selectFolder(files: readonly HubFile[]): HubFolder | undefined {
  const at = (path: string) => files.find((file) => file.path === path);
  const mlcFacts = at('mlc-chat-config.json');
  // The second name is the one that MLC used until its cache held tensors.
  if (mlcFacts && (at('tensor-cache.json') ?? at('ndarray-cache.json'))) {
    const kept = files.filter((file) => isMlcFile(file) || isSupplement(file));
    return { format: 'mlc', factsFile: mlcFacts, files: [...kept, ...templateOf(files)] };
  }
  if (!files.some(isSafetensors)) return undefined;
  const kept = files.filter((file) => isSafetensors(file) || isSupplement(file));
  return { format: 'safetensors', factsFile: at('config.json'), files: [...kept, ...templateOf(files)] };
}

/** A model has one template; others are for other uses, such as tools or retrieval. */
function templateOf(files: readonly HubFile[]): readonly HubFile[] {
  const templates = files.filter(({ path }) => /^[^/]+\.jinja$/i.test(path));
  const usual = templates.find(({ path }) => path === 'chat_template.jinja');
  return usual ? [usual] : templates.slice(0, 1);
}

function isMlcFile({ path }: HubFile): boolean {
  return /^params_shard_\d+\.bin$/.test(nameOf(path)) || path.endsWith('.wasm');
}

function isSafetensors({ path }: HubFile): boolean {
  return /\.safetensors$/i.test(path);
}

/** Docker Model Runner's list: configs, tokenizers and texts; licences it leaves out. */
function isSupplement({ path }: HubFile): boolean {
  const name = nameOf(path).toLowerCase();
  if (/^(licen[cs]e|copying|notice)\b/.test(name)) return false;
  return name === 'tokenizer.model' || /\.(md|txt|json|vocab)$/.test(name);
}
