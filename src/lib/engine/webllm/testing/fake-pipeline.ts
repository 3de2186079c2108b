/** A model that says what it is told to: WebLLM's engine and pipeline, as far as an answer needs them. */
import type { ChatCompletionTokenLogprob, MLCEngine, ResponseFormat } from '@mlc-ai/web-llm';
import type { Pipeline } from '#lib/engine/webllm/worker/pipeline.ts';

interface Asked extends Readonly<Record<string, unknown>> {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

export class FakePipeline implements Pipeline {
  /** Tokens are words. */
  readonly tokenizer = { encode: (text: string) => text.split(' ').map((_, index) => index) };
  /** The replies to come, each in the pieces in which it grows, and how each ends. */
  readonly replies: { readonly pieces: readonly string[]; readonly end: 'stop' | 'length' }[] = [];
  /** What WebLLM was asked. */
  readonly asked: Asked[] = [];
  /** What it was told to compile; a schema or grammar with this text in it fails, as WebLLM fails. */
  readonly compiled: ResponseFormat[] = [];
  badGrammar = 'bad';
  /** Whether the grammar allows any token. */
  grammarMatcher = { getNextTokenBitmask: () => Promise.resolve(Int32Array.of(0, 6)) };
  fullVocabSize = 64;
  filledKVCacheLength = 0;
  prefillChunkSize = 512;
  /** Of a library that reads pictures. */
  computeImageEmbedSize?: (height: number, width: number) => number;
  #message = '';
  #tokens: ChatCompletionTokenLogprob[] = [];
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
  getTokenLogprobArray = () => this.#tokens;
  prepareGrammarMatcherForSampling = ({ response_format: format }: { response_format: ResponseFormat }) => {
    this.compiled.push(format);
    const text = format.schema ?? format.grammar ?? '';
    return text.includes(this.badGrammar) ? Promise.reject(new Error('aborted')) : Promise.resolve();
  };
  getCurRoundCompletionTotalTokens = () => 3;
  getCurRoundPrefillTotalTokens = () => 2;
  getCurRoundPrefillTotalTime = () => 0.5;
  getCurRoundDecodingTotalTokens = () => 2;
  getCurRoundDecodingTotalTime = () => 0.25;

  async *#generate(): AsyncGenerator<object> {
    const reply = this.replies.shift() ?? { pieces: [], end: 'stop' as const };
    [this.#message, this.#reason, this.#tokens] = ['', undefined, []];
    try {
      for (const piece of reply.pieces) {
        this.#message += piece;
        this.#tokens.push(probabilityOf(piece));
        yield {};
      }
      this.#reason = reply.end;
      if (reply.end === 'stop') this.#tokens.push(probabilityOf('<end>'));
      this.filledKVCacheLength += 10;
      yield {};
    } finally {
      this.#reason ??= 'abort';
    }
  }
}

function probabilityOf(token: string): ChatCompletionTokenLogprob {
  const told = { token, bytes: [...new TextEncoder().encode(token)], logprob: -0.5 };
  const other = { token: 'other', bytes: null, logprob: -Infinity };
  return { ...told, top_logprobs: [told, other] };
}
