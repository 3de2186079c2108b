/** The vocabulary of a GGUF model, as `tokenizer.ggml.*` spells it. */
import type { GgufValue } from '#lib/model/gguf-cursor.ts';
import { preTokenizers } from './pre-tokenizers.ts';

/** Written for a space. */
export const spaceMark = '▁';

/** As llama.cpp's `llama_token_type`; what it does not list is normal. */
type TokenType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'byte';

export interface Vocabulary {
  readonly kind: 'gpt2' | 'llama' | 'bert';
  /** Of byte pairs: how text is cut before (`tokenizer.ggml.pre`). */
  readonly preTokenizer: string;
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly types: readonly TokenType[];
  /** Of sentence pieces. */
  readonly scores: readonly number[];
  /** Of byte pairs, the first to be merged first. */
  readonly merges: readonly string[];
  /** How bytes that make up a token are written: as GPT-2's letters, or as themselves with marks for spaces. */
  readonly spelling: 'letters' | 'marks';
  /** Sentence pieces begin with a space that is not in the text. */
  readonly spacePrefix: boolean;
  readonly unknownId: number | undefined;
  /** What a model wants around a text. */
  readonly around: { readonly before: readonly number[]; readonly behind: readonly number[] };
}

type Metadata = ReadonlyMap<string, GgufValue>;

const prefix = 'tokenizer.ggml.';

/** The long arrays of a vocabulary, for `readGgufArrays`. */
export const vocabularyKeys: ReadonlySet<string> = new Set(
  ['tokens', 'token_type', 'scores', 'merges'].map((key) => `${prefix}${key}`),
);

/** By `tokenizer.ggml.model`. */
const kinds: ReadonlyMap<string, Vocabulary['kind']> = new Map([
  ['gpt2', 'gpt2'],
  ['gemma4', 'gpt2'],
  ['llama', 'llama'],
  ['bert', 'bert'],
]);

const tokenTypes: readonly TokenType[] = [
  'normal',
  'normal',
  'unknown',
  'control',
  'user-defined',
  'normal',
  'byte',
];

/** Tokens that end an answer are special to llama.cpp whatever the file says of them. */
const endTokens: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<end_of_turn>',
  '<turn|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '<｜end▁of▁sentence｜>',
]);

/** `undefined` for kinds that are not known here, and where an array is missing or was cut. */
export function readVocabulary(metadata: Metadata): Vocabulary | undefined {
  const kind = kinds.get(textOf(metadata, 'model') ?? '');
  const tokens = textsOf(metadata, 'tokens');
  if (!kind || !tokens) return undefined;
  // llama.cpp treats the space behind special tokens of these models by the model's name.
  const name = metadata.get('general.name');
  if (typeof name === 'string' && /phi-?3/i.test(name)) return undefined;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const preTokenizer = preTokenizerOf(metadata);
  return {
    kind,
    preTokenizer,
    tokens,
    ids,
    types: typesOf(metadata, tokens),
    scores: numbersOf(metadata, 'scores') ?? [],
    merges: textsOf(metadata, 'merges') ?? [],
    spelling: kind === 'gpt2' && !preTokenizers.get(preTokenizer)?.lines ? 'letters' : 'marks',
    spacePrefix: flagOf(metadata, 'add_space_prefix') ?? true,
    unknownId: idOf(metadata, 'unknown') ?? ids.get('[UNK]'),
    around: aroundOf(metadata, kind, preTokenizer),
  };
}

/** llama.cpp takes no other for this one, whatever the file says. */
function preTokenizerOf(metadata: Metadata): string {
  return textOf(metadata, 'model') === 'gemma4' ? 'gemma4' : (textOf(metadata, 'pre') ?? 'default');
}

function typesOf(metadata: Metadata, tokens: readonly string[]): TokenType[] {
  const listed = numbersOf(metadata, 'token_type') ?? [];
  return tokens.map((token, id) => {
    const type = tokenTypes[listed[id] ?? 1] ?? 'normal';
    return type === 'normal' && endTokens.has(token) ? 'control' : type;
  });
}

/** The file's word, else the default of its kind. */
function aroundOf(metadata: Metadata, kind: Vocabulary['kind'], preTokenizer: string): Vocabulary['around'] {
  const usual = kind !== 'gpt2' || preTokenizers.get(preTokenizer)?.addBos === true;
  const opensWith = idOf(metadata, 'bos') ?? { gpt2: 11, llama: 1, bert: 101 }[kind];
  const closesWith = kind === 'bert' ? (idOf(metadata, 'seperator') ?? 102) : (idOf(metadata, 'eos') ?? 2);
  const opens = flagOf(metadata, 'add_bos_token') ?? usual;
  const closes = flagOf(metadata, kind === 'bert' ? 'add_sep_token' : 'add_eos_token') ?? kind === 'bert';
  return { before: opens ? [opensWith] : [], behind: closes ? [closesWith] : [] };
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(prefix + key);
  return typeof value === 'string' ? value : undefined;
}

function flagOf(metadata: Metadata, key: string): boolean | undefined {
  const value = metadata.get(prefix + key);
  return typeof value === 'boolean' ? value : undefined;
}

function idOf(metadata: Metadata, name: string): number | undefined {
  const value = metadata.get(`${prefix}${name}_token_id`);
  return typeof value === 'number' ? value : undefined;
}

function textsOf(metadata: Metadata, key: string): string[] | undefined {
  return itemsOf(metadata, key)?.map((item) => (typeof item === 'string' ? item : ''));
}

function numbersOf(metadata: Metadata, key: string): number[] | undefined {
  return itemsOf(metadata, key)?.map((item) => {
    if (typeof item === 'object') return item.float;
    return typeof item === 'number' ? item : 0;
  });
}

/** `undefined` for an array that was cut. */
function itemsOf(
  metadata: Metadata,
  key: string,
): Extract<GgufValue, { items: unknown }>['items'] | undefined {
  const value = metadata.get(prefix + key);
  if (typeof value !== 'object' || !('items' in value)) return undefined;
  return value.items.length === value.count ? value.items : undefined;
}
