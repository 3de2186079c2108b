/** Which files of a repository without GGUF make a model of safetensors: its weights with their configs. */
import { nameOf, type HubFile } from './select.ts';

export interface HubFolder {
  /** Says what the model is; absent in a repository of bare weights. */
  readonly factsFile: HubFile | undefined;
  readonly files: readonly HubFile[];
}

/** `undefined` when the repository has no safetensors. */
export function findSafetensors(files: readonly HubFile[]): HubFolder | undefined {
  if (!files.some(isSafetensors)) return undefined;
  const kept = files.filter((file) => isSafetensors(file) || isSupplement(file));
  return {
    factsFile: files.find(({ path }) => path === 'config.json'),
    files: [...kept, ...templateOf(files)],
  };
}

/** A model has one template; others are for other uses, such as tools or retrieval. */
export function templateOf(files: readonly HubFile[]): readonly HubFile[] {
  const templates = files.filter(({ path }) => /^[^/]+\.jinja$/i.test(path));
  const usual = templates.find(({ path }) => path === 'chat_template.jinja');
  return usual ? [usual] : templates.slice(0, 1);
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
