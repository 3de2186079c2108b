/** Which tokens a text that is sent consists of: the reply is decoded as a whole, and parts of it are held back. */
import type { ChatCompletionTokenLogprob } from '@mlc-ai/web-llm';
import type { TokenLogprob } from '#lib/openai/events.ts';

/** JSON has no infinity; OpenAI says this for what never happens. */
const never = -9999;

export class LogprobTrail {
  readonly #alternatives: number;
  /** Of each token, how long the reply was with it. */
  readonly #ends: number[] = [];
  #told = 0;

  constructor(alternatives: number) {
    this.#alternatives = alternatives;
  }

  /** The reply has grown to this length by the tokens that are new in `all`; a stop token is not of them. */
  grow(all: readonly ChatCompletionTokenLogprob[], replyLength: number): void {
    while (this.#ends.length < all.length) this.#ends.push(replyLength);
  }

  /** Of the tokens that begin in the first `sentLength` characters and were not told before. */
  take(all: readonly ChatCompletionTokenLogprob[], sentLength: number): readonly TokenLogprob[] {
    const from = this.#told;
    while (this.#told < this.#ends.length && this.#beginOf(this.#told) < sentLength) this.#told++;
    return all.slice(from, this.#told).map((entry) => this.#shape(entry));
  }

  #beginOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  #shape({ top_logprobs: top, ...entry }: ChatCompletionTokenLogprob): TokenLogprob {
    return { ...tokenOf(entry), top: top.slice(0, this.#alternatives).map(tokenOf) };
  }
}

function tokenOf({
  token,
  bytes,
  logprob,
}: Omit<ChatCompletionTokenLogprob, 'top_logprobs'>): Omit<TokenLogprob, 'top'> {
  return { token, bytes: bytes ?? [], logprob: Number.isFinite(logprob) ? logprob : never };
}
