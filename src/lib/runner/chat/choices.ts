/** Several answers to one request, one after another on the same model, as one row of numbered events. */
import type { ChatEvent, Timings, TokenUsage } from '#lib/openai/events.ts';

type Finish = Extract<ChatEvent, { type: 'finish' }>;

export interface Choices {
  /** Answers a prompt. */
  readonly perPrompt: number;
  readonly prompts: number;
}

/** Each `finish` counts everything so far; a prompt counts once, however often it is answered. */
export async function* answerChoices(
  { perPrompt, prompts }: Choices,
  answer: (prompt: number, repeat: number) => AsyncIterable<ChatEvent>,
): AsyncGenerator<ChatEvent, void, undefined> {
  let soFar: Finish | undefined;
  for (let choice = 0; choice < prompts * perPrompt; choice++) {
    const repeat = choice % perPrompt;
    for await (const event of answer(Math.floor(choice / perPrompt), repeat)) {
      const told = event.type === 'finish' ? added(soFar, event, repeat) : event;
      if (told.type === 'finish') soFar = told;
      yield choice === 0 ? told : { ...told, choice };
    }
  }
}

/** The same seed would give the same answer. */
export function seedOf(seed: number | null | undefined, repeat: number): number | null | undefined {
  return typeof seed === 'number' && seed >= 0 ? seed + repeat : seed;
}

function added(before: Finish | undefined, finish: Finish, repeat: number): Finish {
  if (!before) return finish;
  const usage: TokenUsage = {
    promptTokens: before.usage.promptTokens + (repeat > 0 ? 0 : finish.usage.promptTokens),
    cachedTokens: before.usage.cachedTokens + (repeat > 0 ? 0 : finish.usage.cachedTokens),
    completionTokens: before.usage.completionTokens + finish.usage.completionTokens,
  };
  const timings: Timings = {
    prefillTokens: before.timings.prefillTokens + finish.timings.prefillTokens,
    prefillMs: before.timings.prefillMs + finish.timings.prefillMs,
    decodeTokens: before.timings.decodeTokens + finish.timings.decodeTokens,
    decodeMs: before.timings.decodeMs + finish.timings.decodeMs,
  };
  return { ...finish, usage, timings };
}
