/** What the charts show: requests in slices of time, with the middle of what was measured in each. */
import type { RequestRowJson } from '#lib/model/wire-requests.ts';
import { number, spanWords } from './request-words.ts';

export interface Slices {
  /** The middles of the slices, in Unix seconds. */
  readonly times: readonly number[];
  readonly firstTokenMs: readonly (number | null)[];
  readonly tokensPerSecond: readonly (number | null)[];
  readonly tokens: readonly number[];
  readonly errors: readonly number[];
}

const sliceCount = 60;

/** Of rows newest first. `null` is uPlot's word for a slice where nothing was measured. */
export function slicesOf(rows: readonly RequestRowJson[]): Slices {
  const [newest, oldest] = [rows[0]?.started_ms ?? 0, rows.at(-1)?.started_ms ?? 0];
  const sliceMs = Math.max(1000, Math.ceil((newest - oldest + 1) / sliceCount));
  const count = Math.floor((newest - oldest) / sliceMs) + 1;
  const slices = Array.from({ length: rows.length === 0 ? 0 : count }, (): RequestRowJson[] => []);
  for (const row of rows) slices[Math.floor((row.started_ms - oldest) / sliceMs)]?.push(row);
  return {
    times: slices.map((_, index) => (oldest + (index + 0.5) * sliceMs) / 1000),
    firstTokenMs: slices.map((slice) => median(slice.map(({ timing }) => timing.first_token_ms))),
    tokensPerSecond: slices.map((slice) => median(slice.map(({ timing }) => timing.tokens_per_second))),
    tokens: slices.map((slice) => slice.reduce((sum, { usage }) => sum + (usage?.completion_tokens ?? 0), 0)),
    errors: slices.map((slice) => slice.filter(isError).length),
  };
}

/** The charts for those who do not see them. */
export function sliceSentence(rows: readonly RequestRowJson[]): string {
  const first = median(rows.map(({ timing }) => timing.first_token_ms));
  const speed = median(rows.map(({ timing }) => timing.tokens_per_second));
  const tokens = rows.reduce((sum, { usage }) => sum + (usage?.completion_tokens ?? 0), 0);
  return [
    `${number(rows.length)} requests`,
    ...(first === null ? [] : [`median time to first token ${spanWords(first)}`]),
    ...(speed === null ? [] : [`median speed ${speed.toFixed(1)} tok/s`]),
    `${number(tokens)} tokens written`,
    `${number(rows.filter(isError).length)} failed`,
  ].join(', ');
}

function isError({ state }: RequestRowJson): boolean {
  return state === 'failed' || state === 'lost';
}

function median(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return known[known.length >> 1] ?? null;
}
