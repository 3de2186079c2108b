/** A model that says what it is told to: WebLLM's engine and pipeline, as far as an answer needs them. */
import type { MLCEngine } from '@mlc-ai/web-llm';
import type { Pipeline } from '#lib/engine/webllm/worker/pipeline.ts';

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export class FakePipeline implements Pipeline {
  /** Tokens are words. */
  readonly tokenizer = { encode: (text: string) => text.split(' ').map((_, index) => index) };
  /** The replies to come, each in the pieces in which it grows, and how each ends. */
  readonly replies: { readonly pieces: readonly string[]; readonly end: 'stop' | 'length' }[] = [];
  /** What WebLLM was asked. */
  readonly asked: Asked[] = [];
  filledKVCacheLength = 0;
  prefillChunkSize = 512;
  #message = '';
  #reason: ReturnType<Pipeline['getFinishReason']>;

  /** With the one method that is called. */
  get engine(): Pick<MLCEngine, 'chat'> {
    const create = (request: Asked) => {
      this.asked.push(request);
      return Promise.resolve(this.#generate());
    };
    return { chat: { completions: { create } } } as unknown as Pick<MLCEngine, 'chat'>;
  }

  getMessage = () => this.#message;
  getFinishReason = () => this.#reason;
  getCurRoundCompletionTotalTokens = () => 3;
  getCurRoundPrefillTotalTokens = () => 2;
  getCurRoundPrefillTotalTime = () => 0.5;
  getCurRoundDecodingTotalTokens = () => 2;
  getCurRoundDecodingTotalTime = () => 0.25;

  async *#generate(): AsyncGenerator<object> {
    const reply = this.replies.shift() ?? { pieces: [], end: 'stop' as const };
    [this.#message, this.#reason] = ['', undefined];
    try {
      for (const piece of reply.pieces) {
        this.#message += piece;
        yield {};
      }
      this.#reason = reply.end;
      this.filledKVCacheLength += 10;
      yield {};
    } finally {
      this.#reason ??= 'abort';
    }
  }
}
