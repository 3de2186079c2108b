/** One answer of a model, measured: the engine's own figures, and when the first token came. */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LoadedModel } from '#lib/engine/port.ts';
import type { Timings } from '#lib/openai/events.ts';

export interface Measured {
  readonly timings: Timings;
  readonly completionTokens: number;
  /** By the clock; the end where no token has a text of its own. */
  readonly firstTokenAtMs: number;
}

export interface MeasureOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Answers as many tokens as asked, whatever the model would say. */
export async function measure(
  model: LoadedModel,
  { prompt, tokens }: { readonly prompt: string; readonly tokens: number },
  { clock, signal }: MeasureOptions,
): Promise<Measured> {
  const request = { model: 'benchmark', prompt, max_tokens: tokens, temperature: 0, ignore_eos: true };
  let firstTokenAtMs: number | undefined;
  for await (const event of model.complete(request, signal)) {
    if (event.type === 'text') firstTokenAtMs ??= clock.now();
    if (event.type !== 'finish') continue;
    const { timings, usage } = event;
    return {
      timings,
      completionTokens: usage.completionTokens,
      firstTokenAtMs: firstTokenAtMs ?? clock.now(),
    };
  }
  throw new ApiError('internal', 'The engine ended an answer without its figures. Run the benchmark again.');
}

/** Tokens a second; what takes less than the engine can measure counts as a thousandth of a second. */
export function perSecond(tokens: number, ms: number): number {
  return (tokens * 1000) / Math.max(1, ms);
}
