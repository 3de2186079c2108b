/** Words and figures of the benchmark and of the check of correctness. */
import type { BenchResultJson, BenchStage, FigureJson } from '#lib/model/wire-bench.ts';
import type { GateStage, GateVerdict } from '#lib/model/wire-gate.ts';

export const stageWords: Readonly<Record<BenchStage, string>> = {
  loading: 'Loading the model',
  'warm-up': 'Warming up',
  prompt: 'Reading a prompt',
  generation: 'Writing',
  'first-token': 'Waiting for the first token',
  parallel: 'Several requests at once',
};

export const gateStageWords: Readonly<Record<GateStage, string>> = {
  loading: 'Loading the model',
  candidate: 'Reading with the device in force',
  reference: 'Reading with what it is held against',
};

export const verdictLooks = {
  agrees: { tone: 'ok', icon: 'ok' },
  close: { tone: 'plain', icon: 'info' },
  differs: { tone: 'warn', icon: 'warn' },
} as const satisfies Record<GateVerdict, object>;

/** Spaces and line ends would not be seen; a token without text ends the answer. */
export function tokenWords(token: string): string {
  return token === '' ? '(end)' : JSON.stringify(token).slice(1, -1).replaceAll(' ', '␣');
}

export interface BenchRow {
  readonly name: string;
  /** As llama-bench calls it. */
  readonly code?: string;
  readonly unit: 'tok/s' | 'ms';
  readonly figure: FigureJson;
}

export function rowsOf({ prompt, generation, first_token, parallel }: BenchResultJson): readonly BenchRow[] {
  const cold = { mean: first_token.cold_ms, sd: 0, samples: [first_token.cold_ms] };
  return [
    { name: 'Reading a prompt', code: `pp${prompt.tokens}`, unit: 'tok/s', figure: prompt.per_second },
    { name: 'Writing', code: `tg${generation.tokens}`, unit: 'tok/s', figure: generation.per_second },
    { name: 'First token, with loading', unit: 'ms', figure: cold },
    { name: 'First token, loaded', unit: 'ms', figure: first_token.warm_ms },
    ...parallel.map(({ requests, per_second }) => ({
      name: requests === 1 ? '1 request' : `${requests} requests at once, together`,
      unit: 'tok/s' as const,
      figure: per_second,
    })),
  ];
}

/** "28.41 ± 0.12"; a single measurement has no spread. */
export function meanWords({ mean, sd, samples }: FigureJson): string {
  return samples.length < 2 ? figureWords(mean) : `${figureWords(mean)} ± ${figureWords(sd)}`;
}

function figureWords(value: number): string {
  const digits = value < 100 ? 2 : value < 1000 ? 1 : 0;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
