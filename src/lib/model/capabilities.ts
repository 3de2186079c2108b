/** What a model can do, told from its files before a byte of its weights is loaded. */
import { fillTokensOf, namesFillTokens } from './fill-tokens.ts';
import type { GgufValue } from './gguf-cursor.ts';
import type { MlcConfig } from './mlc.ts';

export interface Capabilities {
  /** Chats and text completions alike: a model without a template of its own gets the engine's. */
  readonly chat: boolean;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly audio: boolean;
  readonly embedding: boolean;
  readonly rerank: boolean;
  readonly reasoning: boolean;
  /** Fills in the middle: completions with a `suffix`. */
  readonly fim: boolean;
}

type Metadata = ReadonlyMap<string, GgufValue>;

export interface GgufExtras {
  /** The header of the mmproj file. */
  readonly projector?: Metadata | undefined;
  /** The template in force, where it is not the one inside the GGUF. */
  readonly template?: string | undefined;
  /** The whole vocabulary: many files that have tokens for filling in do not point to them. */
  readonly tokens?: readonly string[] | undefined;
}

/** llama.cpp's `enum llama_pooling_type`. */
const poolings = { none: 0, mean: 1, cls: 2, last: 3, rank: 4 } as const;

/** They read a text as a whole and write none. */
const encoders: ReadonlySet<string> = new Set([
  'bert',
  'eurobert',
  'gemma-embedding',
  'gemma-embedding2',
  'jina-bert-v2',
  'jina-bert-v3',
  'llama-embed',
  'modern-bert',
  'neo-bert',
  'nomic-bert',
  'nomic-bert-moe',
  't5encoder',
]);

/** They write a text all at once, which llama.cpp's server does not offer, or sound. */
const unserved: ReadonlySet<string> = new Set([
  'dream',
  'llada',
  'llada-moe',
  'rnd1',
  'pockettts',
  'qwen3tts',
  'wavtokenizer-dec',
]);

/** The `model_type` with a vision tower that WebLLM 0.2.86 prepares pictures for; it throws for MLC's other two. */
const mlcVision = 'phi3_v';

const thinkingMarks: readonly string[] = [
  '<think>',
  '</think>',
  '[THINK]',
  '<seed:think>',
  '<|START_THINKING|>',
  '<|channel|>',
  '<|channel>',
  'enable_thinking',
  'reasoning_effort',
];

export function ggufCapabilities(metadata: Metadata, extras: GgufExtras = {}): Capabilities {
  const architecture = textOf(metadata, 'general.architecture') ?? '';
  const work = ggufWork(metadata, architecture);
  if (work !== 'writes') return { ...nothing, [work]: work !== 'unserved' };
  const { projector = new Map<string, GgufValue>() } = extras;
  return {
    ...nothing,
    ...templateCapabilities(extras.template ?? textOf(metadata, 'tokenizer.chat_template')),
    chat: true,
    vision: projector.get('clip.has_vision_encoder') === true,
    audio: projector.get('clip.has_audio_encoder') === true,
    fim: namesFillTokens(metadata) || fillTokensOf(metadata, extras.tokens ?? []) !== undefined,
  };
}

export function mlcCapabilities(
  { architecture }: Pick<MlcConfig, 'architecture'>,
  template?: string,
): Capabilities {
  if (architecture === 'bert') return { ...nothing, embedding: true };
  return { ...nothing, ...templateCapabilities(template), chat: true, vision: architecture === mlcVision };
}

/** A whole sentence, for the error that answers a request for something else. */
export function describeCapabilities(capabilities: Capabilities): string {
  const verbs = deeds.filter(([name]) => capabilities[name]).map(([, verb]) => verb);
  const [last, ...before] = verbs.toReversed();
  if (last === undefined) return 'This model does nothing that is served here.';
  return `This model ${before.length === 0 ? last : `${before.toReversed().join(', ')} and ${last}`}.`;
}

const nothing: Capabilities = {
  chat: false,
  tools: false,
  vision: false,
  audio: false,
  embedding: false,
  rerank: false,
  reasoning: false,
  fim: false,
};

const deeds: readonly (readonly [keyof Capabilities, string])[] = [
  ['chat', 'answers chats and completions'],
  ['tools', 'calls tools'],
  ['vision', 'sees images'],
  ['audio', 'hears sound'],
  ['reasoning', 'thinks before it answers'],
  ['fim', 'fills in the middle of a text'],
  ['embedding', 'makes embeddings'],
  ['rerank', 'ranks documents'],
];

/** A pooling in the file is the mark of a model that was trained to give vectors or scores, whatever its architecture. */
function ggufWork(metadata: Metadata, architecture: string): 'writes' | 'embedding' | 'rerank' | 'unserved' {
  const pooling = metadata.get(`${architecture}.pooling_type`);
  if (pooling === poolings.rank) return 'rerank';
  if (encoders.has(architecture)) return 'embedding';
  if (pooling === poolings.mean || pooling === poolings.cls || pooling === poolings.last) return 'embedding';
  if (unserved.has(architecture)) return 'unserved';
  return metadata.get(`${architecture}.attention.causal`) === false ? 'embedding' : 'writes';
}

function templateCapabilities(template = ''): Pick<Capabilities, 'tools' | 'reasoning'> {
  return {
    tools: readsTools(template),
    reasoning: thinkingMarks.some((mark) => template.includes(mark)),
  };
}

/** The variable, inside of a tag and outside of quotes: the word alone stands in many a system prompt. */
function readsTools(template: string): boolean {
  const tags = template.match(/\{[%{][^{}]*(?:\{[^{}]*\}[^{}]*)*[%}]\}/g) ?? [];
  return tags.some((tag) => /\btools\b/.test(tag.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''")));
}

/** By the keys, else by the names of the tokens; without all three no prompt can be made. */
function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}
