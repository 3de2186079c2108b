/** GPT-2's tokens: text is cut, its bytes are written as letters, and pairs are merged by rank. Gemma 4 does without the letters. */
import { Tokenizer as PairTokenizer } from '@huggingface/tokenizers';
import { preTokenizers, type PreTokenizer } from './pre-tokenizers.ts';
import type { EncodeFragment } from './tokenizer.ts';
import { spaceMark, type Vocabulary } from './vocabulary.ts';

/** `undefined` when nothing is known of how the text is cut. */
export function bytePairEncoder(vocabulary: Vocabulary): EncodeFragment | undefined {
  const preTokenizer = preTokenizers.get(vocabulary.preTokenizer);
  if (!preTokenizer) return undefined;
  const tokenizer = new PairTokenizer(describe(vocabulary, preTokenizer), {});
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  if (!preTokenizer.lines) return encode;
  return (text) => linesOf(text).flatMap((line) => newlines(line, vocabulary) ?? encode(line));
}

function linesOf(text: string): readonly string[] {
  return text.replaceAll(' ', spaceMark).match(/[^\n]+|\n+/g) ?? [];
}

/** As many as there is a token for are that token, whatever their pairs. */
function newlines(line: string, { ids }: Vocabulary): number[] | undefined {
  const id = line.startsWith('\n') ? ids.get(line) : undefined;
  return id === undefined ? undefined : [id];
}

/** As a `tokenizer.json` would say it. Special tokens have been taken out of the text before. */
function describe({ ids, merges }: Vocabulary, { patterns, ignoreMerges, lines }: PreTokenizer): object {
  const splits = patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }));
  const letters = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: lines ? splits : [...splits, letters] },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(ids),
      merges: merges.map(pairOf),
      ignore_merges: ignoreMerges ?? false,
      byte_fallback: lines ?? false,
    },
  };
}

/** At the first space that is not the first letter itself. */
function pairOf(merge: string): [string, string] {
  const space = merge.indexOf(' ', 1);
  return [merge.slice(0, space), merge.slice(space + 1)];
}
