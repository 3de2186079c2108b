/** Counts, speeds and probabilities of an answer as they go over the wire. */
import type { Timings, TokenLogprob, TokenUsage } from './events.ts';

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** llama-server's own block, on the last chunk and on every whole answer. */
export interface WireTimings {
  readonly cache_n: number;
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly prompt_per_second: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
  readonly predicted_per_second: number;
}

export interface WireLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
  readonly top_logprobs: readonly Omit<WireLogprob, 'top_logprobs'>[];
}

export function wireUsage(usage: TokenUsage): WireUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

export function wireTimings(timings: Timings, usage: TokenUsage): WireTimings {
  return {
    cache_n: usage.cachedTokens,
    prompt_n: timings.prefillTokens,
    prompt_ms: timings.prefillMs,
    prompt_per_second: perSecond(timings.prefillTokens, timings.prefillMs),
    predicted_n: timings.decodeTokens,
    predicted_ms: timings.decodeMs,
    predicted_per_second: perSecond(timings.decodeTokens, timings.decodeMs),
  };
}

export function wireLogprob({ token, bytes, logprob, top }: TokenLogprob): WireLogprob {
  return { token, bytes, logprob: finite(logprob), top_logprobs: top.map(wireAlternative) };
}

function wireAlternative({
  token,
  bytes,
  logprob,
}: Omit<TokenLogprob, 'top'>): WireLogprob['top_logprobs'][number] {
  return { token, bytes, logprob: finite(logprob) };
}

/** JSON has no infinity; OpenAI tells of a token that cannot come with this number. */
function finite(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : -9999;
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}
