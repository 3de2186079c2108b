/** An answer in words: what it waits for, what it cost, what to do when it failed. */
import type { RunnerJson } from '#lib/model/wire.ts';
import { formatSeconds } from '#lib/components/ui/duration.ts';
import type { Answer } from '#lib/state/answer.svelte.ts';
import type { AnswerStats } from '#lib/state/stored.ts';

/** What is going on before the first token. */
export function waitingWords(answer: Answer, title: string, runner: RunnerJson | undefined): string {
  if (runner?.loading) return `Loading ${title}…`;
  const { prompt } = answer;
  if (prompt && prompt.total > 0)
    return `Reading the prompt, ${Math.floor((prompt.processed / prompt.total) * 100)} %`;
  if (runner?.queued) return 'Waiting for another answer to end';
  return runner ? 'Reading the prompt' : `Starting ${title}`;
}

/** "28.1 tok/s", "first token 0.41 s", "176 tokens": those that were measured. */
export function statWords(stats: AnswerStats): readonly string[] {
  const { tokensPerSecond, firstTokenMs, tokens, withLoading } = stats;
  const first = firstTokenMs === undefined ? '' : `first token ${formatSeconds(firstTokenMs)}`;
  return [
    tokensPerSecond === undefined ? '' : `${tokensPerSecond.toFixed(1)} tok/s`,
    first && withLoading ? `${first} with loading` : first,
    tokens === undefined ? '' : tokens === 1 ? '1 token' : `${tokens.toLocaleString('en')} tokens`,
  ].filter((word) => word !== '');
}

const headlines: Readonly<Record<string, string>> = {
  host_lost: 'The engine moved.',
  host_stalled: 'The engine does not answer.',
  no_host: 'No tab hosts the engine.',
  device_lost: 'The GPU was reset.',
  insufficient_memory: 'Not enough memory.',
  model_not_found: 'The model is not here.',
  context_length_exceeded: 'The conversation is too long.',
};

export function failureHeadline(code: string): string {
  return headlines[code] ?? 'The answer failed.';
}
