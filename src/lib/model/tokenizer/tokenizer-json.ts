/** The tokenizer of an MLC model: its `tokenizer.json`, read by the library that the format was made for. */
import { Tokenizer as JsonTokenizer } from '@huggingface/tokenizers';
import { ApiError } from '#lib/core/errors.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Throws `unsupported_model_format` for what is no such file. */
export function tokenizerOfJson(text: string): Tokenizer {
  const tokenizer = parse(text);
  return {
    // The text of a special token is always that token here: WebLLM reads prompts so.
    encode: (input, { addSpecial = false } = {}) =>
      tokenizer.encode(input, { add_special_tokens: addSpecial }).ids,
    decode: (ids) =>
      tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
  };
}

function parse(text: string): JsonTokenizer {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null) throw new TypeError('The file holds no object.');
    return new JsonTokenizer(json, {});
  } catch (cause) {
    throw new ApiError(
      'unsupported_model_format',
      'The file tokenizer.json of this model cannot be read. Delete the model and pull it again.',
      { cause },
    );
  }
}
