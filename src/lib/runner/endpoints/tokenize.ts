/** Text to tokens and back, as llama-server names it, for any stored model; nothing is loaded for it. */
import * as v from 'valibot';
import { unreadFields } from '#lib/openai/parse.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Tokenizers } from '#lib/runner/library/tokenizers.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { warningOf, withHeaders } from './answer.ts';
import { parseBody } from './body.ts';
import { json } from './respond.ts';

export interface TokenizePorts {
  readonly library: Pick<Library, 'get'>;
  readonly tokenizers: Tokenizers;
}

const model = v.pipe(v.string(), v.minLength(1));
export const tokenizeBody = v.object({
  model,
  content: v.string(),
  /** Puts the tokens around it that the model expects at the beginning and the end of a text. */
  add_special: v.nullish(v.boolean()),
  /** Whether “<|im_start|>” in the text is one token or so many characters; true when absent. */
  parse_special: v.nullish(v.boolean()),
});
export const detokenizeBody = v.object({
  model,
  tokens: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

export function tokenizeRoutes(ports: TokenizePorts): readonly Route[] {
  return ['/engines/v1', ''].flatMap((base): Route[] => [
    { method: 'POST', pattern: `${base}/tokenize`, handle: (call) => tokenize(call, ports) },
    { method: 'POST', pattern: `${base}/detokenize`, handle: (call) => detokenize(call, ports) },
  ]);
}

async function tokenize(call: Call, { library, tokenizers }: TokenizePorts): Promise<Response> {
  const body = await call.json();
  const { content, add_special, parse_special, ...asked } = parseBody(tokenizeBody, body);
  const tokenizer = await tokenizers.of(await library.get(asked.model));
  const tokens = tokenizer.encode(content, {
    addSpecial: add_special ?? false,
    parseSpecial: parse_special ?? true,
  });
  return withHeaders(json({ tokens, count: tokens.length }), warningOf(unreadFields(body, tokenizeBody)));
}

async function detokenize(call: Call, { library, tokenizers }: TokenizePorts): Promise<Response> {
  const body = await call.json();
  const { tokens, ...asked } = parseBody(detokenizeBody, body);
  const tokenizer = await tokenizers.of(await library.get(asked.model));
  const answer = json({ content: tokenizer.decode(tokens) });
  return withHeaders(answer, warningOf(unreadFields(body, detokenizeBody)));
}
