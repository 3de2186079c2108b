/** Token probabilities as the engine writes them. */
import type { TokenLogprob } from '#lib/openai/events.ts';

/** JSON has no infinity: a token that cannot come has `null`, for which OpenAI writes this. */
const impossible = -9999;

/** Of a chunk's choice, with so many alternatives. */
export function readLogprobs(value: unknown, alternatives: number): readonly TokenLogprob[] {
  return list(value, 'content').map((entry) => ({
    ...readEntry(entry),
    top: list(entry, 'top_logprobs').slice(0, alternatives).map(readEntry),
  }));
}

function readEntry(entry: object): Omit<TokenLogprob, 'top'> {
  const token = 'token' in entry && typeof entry.token === 'string' ? entry.token : '';
  const logprob = 'logprob' in entry && typeof entry.logprob === 'number' ? entry.logprob : impossible;
  const bytes = 'bytes' in entry && Array.isArray(entry.bytes) ? entry.bytes : [];
  return { token, logprob, bytes: bytes.filter((byte) => typeof byte === 'number') };
}

function list(value: unknown, key: string): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  const items: unknown = Reflect.get(value, key);
  return Array.isArray(items) ? items.filter(isObject) : [];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
