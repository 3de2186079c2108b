/** What the Settings page lets a person choose, and the words for it. */
import { formatBytes } from '#lib/core/format.ts';
import { parseGoDuration } from '#lib/core/go-duration.ts';
import type { ComputeJson, CpuBuild, Rung, SettingsJson } from '#lib/model/wire.ts';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

const contextSizes = [2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];

/** With the one in force, which another program may have set to anything. */
export function contextChoices(current: SettingsJson['context_size']): readonly Choice[] {
  const sizes =
    current === null || contextSizes.includes(current) ? contextSizes : [...contextSizes, current];
  const choices = sizes
    .toSorted((a, b) => a - b)
    .map((tokens) => ({ value: String(tokens), label: `${tokens.toLocaleString('en')} tokens` }));
  return [{ value: '', label: 'Default' }, ...choices];
}

const idleChoices: readonly Choice[] = [
  { value: '0', label: 'At once' },
  { value: '1m', label: 'After 1 minute' },
  { value: '5m', label: 'After 5 minutes' },
  { value: '15m', label: 'After 15 minutes' },
  { value: '30m', label: 'After 30 minutes' },
  { value: '1h', label: 'After 1 hour' },
  { value: '-1', label: 'Never' },
];

/** The runner may write a duration otherwise than we do: "5m0s" is our "5m". */
export function idleChoiceOf(keepAlive: string): string {
  const ms = parseGoDuration(keepAlive);
  return idleChoices.find(({ value }) => parseGoDuration(value) === ms)?.value ?? keepAlive;
}

export function idleChoicesFor(keepAlive: string): readonly Choice[] {
  const current = idleChoiceOf(keepAlive);
  if (idleChoices.some(({ value }) => value === current)) return idleChoices;
  return [...idleChoices, { value: current, label: `After ${current}` }];
}

const rungWords: Readonly<Record<Rung, string>> = {
  'webgpu-f16': 'GPU, 16-bit',
  webgpu: 'GPU, 32-bit',
  'wasm-threads': 'CPU, several threads',
  wasm: 'CPU, one thread',
};

export interface ComputeChoice extends Choice {
  readonly disabled: boolean;
}

export function computeChoices({ rungs }: ComputeJson): readonly ComputeChoice[] {
  return withAutomatic(
    rungs.map(({ rung, available }) => ({ value: rung, words: rungWords[rung], available })),
  );
}

interface Pinnable {
  readonly value: string;
  readonly words: string;
  readonly available: boolean;
}

function withAutomatic(pinnable: readonly Pinnable[]): readonly ComputeChoice[] {
  const choices = pinnable.map(({ value, words, available }) => ({
    value,
    label: available ? words : `${words} (not here)`,
    disabled: !available,
  }));
  return [{ value: 'auto', label: 'Automatic', disabled: false }, ...choices];
}

const buildWords: Readonly<Record<CpuBuild, string>> = {
  relaxed: 'Sampan’s, relaxed SIMD',
  simd: 'Sampan’s, SIMD',
  package: 'wllama’s own',
};

export function buildChoices({ wasm_builds: builds }: ComputeJson): readonly ComputeChoice[] {
  return withAutomatic(
    builds.map(({ build, available }) => ({ value: build, words: buildWords[build], available })),
  );
}

/** "… New loads use: SIMD. Sampan’s, relaxed SIMD: the browser has no relaxed SIMD." */
export function buildHint({ wasm_build: words, wasm_builds: builds }: ComputeJson): string {
  const missing = builds.filter(({ available }) => !available);
  const lacks = missing.map(({ build, reason }) => ` ${buildWords[build]}: ${reason ?? 'not here'}.`);
  return `The build of llama.cpp for models that do not run on a GPU. New loads use: ${words}.${lacks.join('')}`;
}

/** "Models loaded from now on use the CPU, several threads: the GPU has no shader-f16." */
export function computeWords({ rung, reason }: ComputeJson): string {
  const words = `New loads use: ${rungWords[rung]}`;
  return reason === undefined ? `${words}.` : `${words}, because ${reason}.`;
}

/** Whole sentences on what this machine lacks. */
export function lackWords({ rungs }: ComputeJson): readonly string[] {
  return rungs
    .filter(({ available }) => !available)
    .map(({ rung, reason }) => `${rungWords[rung]}: ${reason ?? 'this browser does not offer it'}.`);
}

export type TypedLimit =
  | { readonly status: 'right'; readonly bytes: number | null }
  | { readonly status: 'wrong'; readonly why: string };

const bytesPerGigabyte = 1_000_000_000;

/** Gigabytes as a person types them; empty is no limit of one's own. */
export function readLimit(text: string): TypedLimit {
  const typed = text.trim().replace(',', '.');
  if (typed === '') return { status: 'right', bytes: null };
  const gigabytes = /^\d{1,4}(\.\d{1,3})?$/.test(typed) ? Number(typed) : 0;
  if (gigabytes > 0) return { status: 'right', bytes: Math.round(gigabytes * bytesPerGigabyte) };
  return { status: 'wrong', why: 'Type gigabytes, such as 6 or 2.5, or leave it empty.' };
}

export function limitText(bytes: number | null): string {
  return bytes === null ? '' : String(bytes / bytesPerGigabyte);
}

export function countWords(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString('en')} ${many}`;
}

/** "7 models, 21 conversations, 128 requests. 3.80 GB." */
export function everythingWords(counts: {
  readonly models: number;
  readonly conversations: number;
  readonly requests: number;
  readonly usedBytes: number;
}): string {
  const words = [
    countWords(counts.models, 'model'),
    countWords(counts.conversations, 'conversation'),
    countWords(counts.requests, 'request'),
  ];
  return `${words.join(', ')}. ${formatBytes(counts.usedBytes)}.`;
}
