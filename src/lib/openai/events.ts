/** What an engine tells while it answers; the wire shapes are made from it. */

export type ChatEvent =
  | { readonly type: 'prefill'; readonly processedTokens: number; readonly totalTokens: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'finish';
      readonly reason: 'stop' | 'length';
      readonly usage: TokenUsage;
      readonly timings: Timings;
    };

export interface TokenUsage {
  /** Cached ones included. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/** Of prefill (prompt tokens that were not cached) and decode (generated tokens). */
export interface Timings {
  readonly prefillTokens: number;
  readonly prefillMs: number;
  readonly decodeTokens: number;
  readonly decodeMs: number;
}
