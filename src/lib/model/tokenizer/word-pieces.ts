/** BERT's tokens: words in small letters without accents, each cut into the longest tokens from its start. */
import { Tokenizer as WordTokenizer } from '@huggingface/tokenizers';
import type { EncodeFragment } from './tokenizer.ts';
import { spaceMark, type Vocabulary } from './vocabulary.ts';

/** GGUF marks what starts a word, with the mark for a space; BERT what does not. */
const inside = '##';
/** llama.cpp has no limit. */
const maxWordLength = Number.MAX_SAFE_INTEGER;

/** `undefined` without a token for words that are none. */
export function wordPieceEncoder({ tokens, types, unknownId }: Vocabulary): EncodeFragment | undefined {
  const unknown = unknownId === undefined ? undefined : tokens[unknownId];
  if (unknown === undefined) return undefined;
  const vocab = tokens.map((token, id): [string, number] => [
    types[id] === 'normal' ? bertToken(token) : token,
    id,
  ]);
  const description = {
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: true,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(vocab),
      unk_token: unknown,
      continuing_subword_prefix: inside,
      max_input_chars_per_word: maxWordLength,
    },
  };
  const tokenizer = new WordTokenizer(description, {});
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
}

function bertToken(token: string): string {
  return token.startsWith(spaceMark) ? token.slice(spaceMark.length) : `${inside}${token}`;
}
