/** Where the time of a request went, as bars one after another. */
import type { RequestRowJson, RequestState } from '#lib/model/wire-requests.ts';
import { durationOf, number, spanWords } from './request-words.ts';

export interface Phase {
  readonly name: string;
  /** `undefined` where it never came to that. */
  readonly ms: number | undefined;
  readonly startPercent: number;
  readonly widthPercent: number;
  /** A token of the theme. */
  readonly colour: string;
}

export interface Waterfall {
  readonly totalMs: number;
  readonly phases: readonly Phase[];
}

const names = ['Queue', 'Load', 'Prefill', 'Decode'] as const;
const colours = ['--part-queue', '--part-load', '--part-prefill', '--part-decode'] as const;
const current: Partial<Readonly<Record<RequestState, number>>> = {
  queued: 0,
  loading: 1,
  prefill: 2,
  decode: 3,
};

/** Of a request under way, the phase it is in lasts until now. */
export function waterfallOf(row: RequestRowJson, nowMs: number): Waterfall {
  const { timing } = row;
  const known = [timing.queue_ms, timing.load_ms, timing.prefill_ms, timing.decode_ms];
  const ended = known.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  const totalMs = Math.max(durationOf(row, nowMs) ?? ended, ended);
  const at = current[row.state];
  const parts = known.map((ms, index) =>
    index === at ? Math.max(ms ?? 0, totalMs - sumBefore(known, index)) : ms,
  );
  // First token and end are what a person sees; what lies between the parts is shown as a gap before the decode.
  const decodeEnd = timing.duration_ms ?? totalMs;
  return {
    totalMs,
    phases: parts.map((ms, index) => {
      const startMs =
        index === 3
          ? Math.min(timing.first_token_ms ?? sumBefore(parts, 3), decodeEnd)
          : sumBefore(parts, index);
      return phase(index, ms, startMs, totalMs);
    }),
  };
}

/** Five marks below the bars: "0", "1.3", … "6.7 s". */
export function axisOf(totalMs: number): readonly string[] {
  const inSeconds = totalMs >= 1000;
  return [0, 1, 2, 3, 4, 5].map((step) => {
    const ms = (totalMs * step) / 5;
    const text = inSeconds ? (ms / 1000).toFixed(totalMs < 100_000 ? 1 : 0) : String(Math.round(ms));
    if (step === 5) return `${text} ${inSeconds ? 's' : 'ms'}`;
    return step === 0 ? '0' : text;
  });
}

/** "Model was already loaded. 2,448 of 2,526 prompt tokens came from cache; 78 were prefilled at 209 tok/s." */
export function timeSentence({ timing, usage }: RequestRowJson): string {
  const sentences: string[] = [];
  if (timing.load_ms === 0) sentences.push('Model was already loaded.');
  else if (timing.load_ms !== undefined)
    sentences.push(`The model was loaded first, for ${spanWords(timing.load_ms)}.`);
  if (usage) sentences.push(promptSentence(usage.prompt_tokens, usage.cached_tokens, timing.prefill_ms));
  return sentences.join(' ');
}

function promptSentence(prompt: number, cached: number, prefillMs: number | undefined): string {
  const fresh = prompt - cached;
  const speed = prefillMs && fresh > 0 ? ` at ${number(Math.round((fresh / prefillMs) * 1000))} tok/s` : '';
  if (cached === 0) return `${number(prompt)} prompt tokens were prefilled${speed}.`;
  return `${number(cached)} of ${number(prompt)} prompt tokens came from cache; ${number(fresh)} were prefilled${speed}.`;
}

function sumBefore(parts: readonly (number | undefined)[], index: number): number {
  return parts.slice(0, index).reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
}

function phase(index: number, ms: number | undefined, startMs: number, totalMs: number): Phase {
  const percent = (value: number) => (totalMs > 0 ? Math.min(100, (value / totalMs) * 100) : 0);
  const startPercent = percent(startMs);
  return {
    name: names[index] ?? '',
    ms,
    startPercent,
    widthPercent: Math.min(percent(ms ?? 0), 100 - startPercent),
    colour: colours[index] ?? '',
  };
}
