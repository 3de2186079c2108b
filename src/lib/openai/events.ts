/** What an engine tells while it answers; the wire shapes are made from it. */

/** `choice` numbers the answers where a request asks for several; 0 when absent. */
export type ChatEvent = AnswerEvent & { readonly choice?: number | undefined };

type AnswerEvent =
  | { readonly type: 'prefill'; readonly processedTokens: number; readonly totalTokens: number }
  | {
      readonly type: 'text';
      readonly text: string;
      /** Of the tokens in `text`; only when the request asks for them. */
      readonly logprobs?: readonly TokenLogprob[] | undefined;
    }
  | { readonly type: 'reasoning'; readonly text: string }
  /** The call number `index` of the answer begins; its arguments follow as JSON text in pieces. */
  | { readonly type: 'tool-call'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'tool-arguments'; readonly index: number; readonly text: string }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      /** Of all answers of the request so far, as are the timings. */
      readonly usage: TokenUsage;
      readonly timings: Timings;
      /** The text that the model saw; absent where the engine does not tell. */
      readonly renderedPrompt?: string | undefined;
    };

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** OpenAI's shape of one token's log probability; `bytes` is its UTF-8, perhaps half a character. */
export interface TokenLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
  readonly top: readonly Omit<TokenLogprob, 'top'>[];
}

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
