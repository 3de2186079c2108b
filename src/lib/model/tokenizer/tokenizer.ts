/**
 * Turns text into the tokens of a model and back, without the engine: exactly as llama.cpp does with the vocabulary
 * inside a GGUF file, or as the `tokenizer.json` of an MLC model says.
 */
import type { GgufValue } from '#lib/model/gguf-cursor.ts';
import { bytePairEncoder } from './byte-pairs.ts';
import { SpecialTokens } from './special-tokens.ts';
import { sentencePieceEncoder } from './sentence-piece.ts';
import { tokenBytes } from './token-bytes.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';
import { wordPieceEncoder } from './word-pieces.ts';

export interface Tokenizer {
  encode(text: string, options?: EncodeOptions): readonly number[];
  /** Special tokens as their text; bytes that are no text as U+FFFD; ids that do not exist as nothing. */
  decode(ids: readonly number[]): string;
}

export interface EncodeOptions {
  /** The text of a special token is that token, and not text about it; true when absent. */
  readonly parseSpecial?: boolean | undefined;
  /** With the tokens around a text that the model wants (BOS, EOS, CLS, SEP); false when absent. */
  readonly addSpecial?: boolean | undefined;
}

/** What lies between special tokens; `follows` says what it stands behind. */
export type EncodeFragment = (text: string, follows: 'special' | 'text') => readonly number[];

/**
 * `undefined` for a vocabulary that is not known here to the last token: then only the engine can tell. The metadata
 * needs its arrays whole (`readGgufArrays` with `vocabularyKeys`). Takes up to a second and is to be kept.
 */
export function tokenizerOf(metadata: ReadonlyMap<string, GgufValue>): Tokenizer | undefined {
  const vocabulary = readVocabulary(metadata);
  const encodeFragment = vocabulary && encoderOf(vocabulary);
  return encodeFragment ? new VocabularyTokenizer(vocabulary, encodeFragment) : undefined;
}

function encoderOf(vocabulary: Vocabulary): EncodeFragment | undefined {
  switch (vocabulary.kind) {
    case 'gpt2':
      return bytePairEncoder(vocabulary);
    case 'llama':
      return sentencePieceEncoder(vocabulary);
    case 'bert':
      return wordPieceEncoder(vocabulary);
  }
}

class VocabularyTokenizer implements Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #encodeFragment: EncodeFragment;
  readonly #special: SpecialTokens;
  readonly #bytesOf: (id: number) => Uint8Array;

  constructor(vocabulary: Vocabulary, encodeFragment: EncodeFragment) {
    this.#vocabulary = vocabulary;
    this.#encodeFragment = encodeFragment;
    this.#special = new SpecialTokens(vocabulary);
    this.#bytesOf = tokenBytes(vocabulary);
  }

  encode(text: string, { parseSpecial = true, addSpecial = false }: EncodeOptions = {}): readonly number[] {
    const ids: number[] = [];
    const { before, behind } = this.#vocabulary.around;
    if (addSpecial) ids.push(...before);
    let follows: 'special' | 'text' = 'special';
    for (const part of this.#special.split(text, parseSpecial ? 'all' : 'user-defined')) {
      if (typeof part === 'number') ids.push(part);
      else for (const id of this.#encodeFragment(part, follows)) ids.push(id);
      follows = typeof part === 'number' ? 'special' : 'text';
    }
    if (addSpecial) ids.push(...behind);
    return ids;
  }

  decode(ids: readonly number[]): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const texts = ids.map((id) => decoder.decode(this.#bytesOf(id), { stream: true }));
    return texts.join('') + decoder.decode();
  }
}
