/** Records that come from the disk or from a file: checked, because either may be of another version or of another hand. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { errorFromBody } from '#lib/core/errors.ts';
import {
  requestModes,
  requestSourceKinds,
  requestStates,
  type RequestJson,
  type RequestRowJson,
} from '#lib/model/wire-requests.ts';
import { maxTextChars } from './texts.ts';

const text = v.pipe(v.string(), v.maxLength(maxTextChars));
const word = v.pipe(v.string(), v.maxLength(500));
const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const timeMs = v.pipe(count, v.maxValue(8.64e15));
const digest = v.pipe(
  v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  v.metadata({ type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }),
);
const words = v.record(v.string(), v.pipe(v.string(), v.maxLength(10_000)));
const values = v.record(v.string(), v.unknown());
const keptText = v.object({ text, cut_chars: v.exactOptional(count) });

/** Only our own ids: they are part of paths, and they sort by time. */
const id = v.pipe(v.string(), v.regex(/^req_[0-9a-z]{10,40}$/));

export const requestRow = v.object({
  id,
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  state: v.picklist(requestStates),
  mode: v.picklist(requestModes),
  path: v.pipe(word, v.startsWith('/')),
  source: v.object({ kind: v.picklist(requestSourceKinds), name: v.exactOptional(word) }),
  model: word,
  model_id: v.exactOptional(digest),
  engine: v.exactOptional(word),
  prompt: word,
  started_ms: timeMs,
  status_code: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(100), v.maxValue(599))),
  error_code: v.exactOptional(word),
  finish_reason: v.exactOptional(word),
  timing: v.object({
    queue_ms: v.exactOptional(count),
    load_ms: v.exactOptional(count),
    prefill_ms: v.exactOptional(count),
    decode_ms: v.exactOptional(count),
    first_token_ms: v.exactOptional(count),
    duration_ms: v.exactOptional(count),
    tokens_per_second: v.exactOptional(count),
  }),
  usage: v.exactOptional(v.object({ prompt_tokens: count, cached_tokens: count, completion_tokens: count })),
  context_size: v.exactOptional(count),
  size_bytes: count,
  imported: v.exactOptional(v.boolean()),
});

export const requestRecord = v.object({
  ...requestRow.entries,
  method: word,
  request_headers: words,
  request_body: keptText,
  parameters: values,
  parameters_in_force: values,
  rendered_prompt: v.exactOptional(keptText),
  response_headers: words,
  answer: keptText,
  reasoning: v.exactOptional(keptText),
  response_body: keptText,
  pieces: v.pipe(
    v.array(v.object({ at_ms: count, type: v.picklist(['text', 'reasoning']), text })),
    v.maxLength(200_000),
  ),
  cut_pieces: v.exactOptional(count),
  frames: v.pipe(v.array(v.object({ at_ms: count, text })), v.maxLength(500_000)),
  error: v.exactOptional(v.object({ message: text, code: word, param: v.nullish(word) })),
  device: v.exactOptional(word),
  replay_of: v.exactOptional(id),
});

export function parseRow(value: unknown): RequestRowJson | undefined {
  const parsed = v.safeParse(requestRow, value);
  return parsed.success ? withKnownCode(parsed.output) : undefined;
}

export function parseRecord(value: unknown): RequestJson | undefined {
  const parsed = v.safeParse(requestRecord, value);
  if (!parsed.success) return undefined;
  const { error, ...rest } = parsed.output;
  return {
    ...withKnownCode(rest),
    ...(error && { error: errorFromBody({ error: { param: null, ...error } }, 500).toJSON().error }),
  };
}

/** A code that this version does not know says no more than that it failed. */
function withKnownCode<T extends { readonly error_code?: string }>(
  fields: T,
): Omit<T, 'error_code'> & Pick<RequestRowJson, 'error_code'> {
  const { error_code: code, ...rest } = fields;
  if (code === undefined) return rest;
  return { ...rest, error_code: errorFromBody({ error: { message: '', code, param: null } }, 500).code };
}
