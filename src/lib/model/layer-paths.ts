/** Gives every layer a path: its own, or one by its kind when its packager gave it none. */
import type { Digest } from '#lib/core/digest.ts';
import { freePath } from './file-path.ts';
import type { FileRole } from './file-role.ts';
import { weightFormat, type Packing } from './layer-kind.ts';
import type { Descriptor } from './manifest.ts';

export interface DraftLayer {
  readonly descriptor: Descriptor;
  readonly role: FileRole;
  readonly packing: Packing;
  readonly unpacked?: Digest | undefined;
  /** Checked; empty when there is none. */
  readonly given: string;
}

export interface Placing {
  /** The config's word. */
  readonly claimedFormat: string;
  /** `free`: Docker's v0.1 places files by their kind, so two licences may have one name; the second gets another. */
  readonly names: 'free' | 'binding';
}

/** Docker Model Runner's names for layers without one. */
const defaultNames: Readonly<Record<Exclude<FileRole, 'weights'>, string>> = {
  projector: 'mmproj.gguf',
  adapter: 'lora.gguf',
  template: 'template.jinja',
  license: 'LICENSE',
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  library: 'model.wasm',
  document: 'README.md',
  other: 'file',
};

export function placeLayers(layers: readonly DraftLayer[], placing: Placing): string[] {
  const taken = new Set(layers.map(({ given }) => given));
  const placed = new Set<string>();
  const nameless = layers.filter(({ role, given }) => role === 'weights' && given === '');
  return layers.map((layer) => {
    const { given } = layer;
    const keeps = given !== '' && (placing.names === 'binding' || !placed.has(given));
    const path = keeps
      ? given
      : freePath(given || defaultName(layer, nameless, placing.claimedFormat), taken);
    taken.add(path);
    placed.add(path);
    return path;
  });
}

function defaultName(layer: DraftLayer, nameless: readonly DraftLayer[], claimedFormat: string): string {
  if (layer.packing === 'tar') return 'files.tar';
  if (layer.packing === 'tar+gzip') return 'files.tar.gz';
  if (layer.role !== 'weights') return defaultNames[layer.role];
  const format = weightFormat(layer.descriptor.mediaType) ?? (claimedFormat.toLowerCase() || 'bin');
  const extension = /^[a-z0-9]{1,20}$/.test(format) ? format : 'bin';
  if (nameless.length === 1) return `model.${extension}`;
  const digits = (value: number) => String(value).padStart(5, '0');
  return `model-${digits(nameless.indexOf(layer) + 1)}-of-${digits(nameless.length)}.${extension}`;
}
