/** llama-server's command line flags, as `_configure` takes them, and the settings that they stand for. */
import { ApiError } from '#lib/core/errors.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';

type Key = keyof ModelSettingsJson;
type Read = (value: string) => unknown;

interface Flag {
  readonly names: readonly string[];
  readonly key: Key;
  /** From the flag's value; absent for a flag that takes none. */
  readonly read?: Read;
  /** Of a flag without a value. */
  readonly means?: unknown;
}

const number: Read = (value) => (value.trim() === '' ? NaN : Number(value));
const text: Read = (value) => value;
const onOff: Read = (value) =>
  ['on', '1', 'auto'].includes(value) ? true : value === 'off' || value === '0' ? false : value;

const flags: readonly Flag[] = [
  { names: ['--ctx-size', '-c'], key: 'context_size', read: number },
  { names: ['--n-gpu-layers', '--gpu-layers', '-ngl'], key: 'gpu_layers', read: number },
  { names: ['--threads', '-t'], key: 'threads', read: number },
  { names: ['--cache-type-k', '-ctk'], key: 'cache_type_k', read: text },
  { names: ['--cache-type-v', '-ctv'], key: 'cache_type_v', read: text },
  { names: ['--flash-attn', '-fa'], key: 'flash_attention', read: onOff },
  { names: ['--parallel', '-np'], key: 'parallel', read: number },
  { names: ['--predict', '--n-predict', '-n'], key: 'max_tokens', read: number },
  { names: ['--temperature', '--temp'], key: 'temperature', read: number },
  { names: ['--top-p'], key: 'top_p', read: number },
  { names: ['--top-k'], key: 'top_k', read: number },
  { names: ['--min-p'], key: 'min_p', read: number },
  { names: ['--repeat-penalty'], key: 'repeat_penalty', read: number },
  { names: ['--presence-penalty'], key: 'presence_penalty', read: number },
  { names: ['--frequency-penalty'], key: 'frequency_penalty', read: number },
  { names: ['--seed', '-s'], key: 'seed', read: number },
  { names: ['--reasoning-budget'], key: 'think_budget', read: number },
  { names: ['--embeddings', '--embedding'], key: 'mode', means: 'embedding' },
  { names: ['--reranking', '--rerank'], key: 'mode', means: 'reranking' },
];

const byName: ReadonlyMap<string, Flag> = new Map(
  flags.flatMap((flag) => flag.names.map((name) => [name, flag] as const)),
);

/** Splits a shell-like string: blanks separate, quotes hold together. Throws `invalid_request` for an open quote. */
export function splitFlags(line: string): readonly string[] {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+))/gy;
  let at = 0;
  for (let match = pattern.exec(line); match; match = pattern.exec(line)) {
    words.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? match[3] ?? '');
    at = pattern.lastIndex;
  }
  if (line.slice(at).trim() === '') return words;
  throw new ApiError('invalid_request', '“raw-runtime-flags” has a quote that is not closed.', {
    param: 'raw-runtime-flags',
  });
}

/** The settings that flags stand for, not yet judged. Throws `unsupported_parameter` naming a flag that has no meaning here. */
export function settingsOfFlags(words: readonly string[]): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (let index = 0; index < words.length; index++) {
    const [name, inline] = splitEquals(words[index] ?? '');
    const flag = byName.get(name);
    if (!flag) throw unknownFlag(name);
    if (!flag.read) settings[flag.key] = flag.means;
    else settings[flag.key] = flag.read(inline ?? words[++index] ?? missingValue(name));
  }
  return settings;
}

/** `--top-k=20` is `--top-k 20`. */
function splitEquals(word: string): [string, string?] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function unknownFlag(name: string): ApiError {
  return new ApiError(
    'unsupported_parameter',
    `The runtime flag “${name}” has no meaning in a browser. These do: ${[...byName.keys()].join(', ')}.`,
    { param: 'runtime-flags' },
  );
}

function missingValue(name: string): never {
  throw new ApiError('invalid_request', `The runtime flag “${name}” needs a value.`, {
    param: 'runtime-flags',
  });
}
