/** How full the context of a loaded model is after the last answer. */
import type { RunnerJson } from '#lib/model/wire.ts';
import type { AnswerStats } from '#lib/state/stored.ts';

export interface ContextUse {
  readonly percent: number;
  /** "2,914 of 8,192 tokens". */
  readonly words: string;
}

/** `undefined` where either figure is not known. */
export function contextUse(
  stats: AnswerStats | undefined,
  runner: RunnerJson | undefined,
): ContextUse | undefined {
  const size = runner?.context_size;
  if (!size || stats?.promptTokens === undefined) return undefined;
  const used = stats.promptTokens + (stats.tokens ?? 0);
  return {
    percent: (used / size) * 100,
    words: `${used.toLocaleString('en')} of ${size.toLocaleString('en')} tokens`,
  };
}
