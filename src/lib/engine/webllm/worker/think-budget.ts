/**
 * A whole answer as events, whose thoughts end where their budget does: the model is stopped, the end of its thoughts
 * is written for it, and it goes on from there.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type { AnswerParts } from './answer-parts.ts';
import type { Generator as TextGenerator, GeneratorEvent, Job } from './generator.ts';

type Finish = Extract<GeneratorEvent, { type: 'finish' }>;

export interface Budgeted {
  readonly generator: Pick<TextGenerator, 'generate'>;
  readonly job: Omit<Job, 'complete'>;
  readonly parts: AnswerParts;
  /** Tokens; `undefined` without limit. */
  readonly budget: number | undefined;
}

const endOfThoughts = '\n</think>\n\n';

/** Ends without a `finish` when aborted. */
export async function* withinBudget(
  { generator, job, parts, budget }: Budgeted,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, void, undefined> {
  const thinksTooLong = () => budget !== undefined && parts.thoughtPieces > budget;
  const complete = () => parts.complete || thinksTooLong();
  let said = '';
  let finish: Finish | undefined;
  for await (const event of generator.generate({ ...job, complete }, signal)) {
    if (event.type === 'text') {
      said += event.text;
      yield* parts.add(event);
    } else if (event.type === 'prefill') yield event;
    else finish = event;
  }
  if (!finish) return;
  if (!thinksTooLong() || finish.reason === 'length') {
    yield* ending(parts, finish);
    return;
  }
  yield* parts.add({ type: 'text', text: endOfThoughts });
  const rest = { ...job, ...goingOn(job, said + endOfThoughts, finish), complete: () => parts.complete };
  yield* goOn(generator.generate(rest, signal), parts, finish);
}

async function* goOn(
  events: AsyncIterable<GeneratorEvent>,
  parts: AnswerParts,
  before: Finish,
): AsyncGenerator<ChatEvent, void, undefined> {
  try {
    for await (const event of events) {
      if (event.type === 'text') yield* parts.add(event);
      else if (event.type === 'finish') yield* ending(parts, sum(before, event));
    }
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.code !== 'context_length_exceeded') throw thrown;
    // The thoughts have filled it.
    yield* ending(parts, { ...before, reason: 'length' });
  }
}

function* ending(parts: AnswerParts, finish: Finish): Generator<ChatEvent> {
  yield* parts.end();
  yield parts.hasCalls && finish.reason === 'stop' ? { ...finish, reason: 'tool_calls' } : finish;
}

/** What was said counts towards the limit of the answer. */
function goingOn(job: Budgeted['job'], said: string, { usage }: Finish): Pick<Job, 'prompt' | 'sampling'> {
  const { max_tokens: limit } = job.sampling;
  const sampling =
    typeof limit === 'number'
      ? { ...job.sampling, max_tokens: Math.max(1, limit - usage.completionTokens) }
      : job.sampling;
  return { prompt: job.prompt + said, sampling };
}

/** The prompt is what the request brought; its answer is both. */
function sum(first: Finish, second: Finish): Finish {
  return {
    ...second,
    renderedPrompt: first.renderedPrompt,
    usage: {
      ...first.usage,
      completionTokens: first.usage.completionTokens + second.usage.completionTokens,
    },
    timings: {
      prefillTokens: first.timings.prefillTokens + second.timings.prefillTokens,
      prefillMs: first.timings.prefillMs + second.timings.prefillMs,
      decodeTokens: first.timings.decodeTokens + second.timings.decodeTokens,
      decodeMs: first.timings.decodeMs + second.timings.decodeMs,
    },
  };
}
