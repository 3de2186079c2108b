/** One scripted answer as events: words with their stop texts and log probabilities, or tool calls. */
import type { ChatEvent, FinishReason, TokenLogprob } from '#lib/openai/events.ts';
import { ReplyText } from './reply-text.ts';

export interface ScriptedCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface ScriptedAnswer {
  readonly words: readonly string[];
  readonly promptTokens: number;
  readonly limit: number | null | undefined;
  readonly stops: readonly string[];
  /** Alternatives told of each token; none are told at all when undefined. */
  readonly alternatives: number | undefined;
  readonly renderedPrompt: string;
  /** Settles when the word may come; throws when the engine has died. */
  readonly beforeWord: (index: number) => Promise<void>;
}

export async function* answerWords(answer: ScriptedAnswer): AsyncGenerator<ChatEvent, void, undefined> {
  const { words, promptTokens } = answer;
  const limit = answer.limit ?? words.length;
  const reply = new ReplyText(answer.stops);
  let [said, completionTokens] = ['', 0];
  yield { type: 'prefill', processedTokens: promptTokens, totalTokens: promptTokens };
  for (const [index, word] of words.slice(0, limit).entries()) {
    await answer.beforeWord(index);
    said += word;
    completionTokens++;
    const text = reply.advance(said);
    if (text !== '') yield { type: 'text', text, ...logprobsOf(word, answer.alternatives) };
    if (reply.stopped) break;
  }
  const rest = reply.end(said);
  if (rest !== '') yield { type: 'text', text: rest };
  yield finish(answer, limit < words.length && !reply.stopped ? 'length' : 'stop', completionTokens);
}

/** The arguments come in two pieces, as a real engine cuts them somewhere. */
export async function* answerCalls(
  calls: readonly ScriptedCall[],
  answer: ScriptedAnswer,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { promptTokens } = answer;
  yield { type: 'prefill', processedTokens: promptTokens, totalTokens: promptTokens };
  for (const [index, call] of calls.entries()) {
    await answer.beforeWord(index);
    yield { type: 'tool-call', index, id: `call_scripted${index}`, name: call.name };
    const middle = Math.ceil(call.arguments.length / 2);
    for (const text of [call.arguments.slice(0, middle), call.arguments.slice(middle)]) {
      if (text !== '') yield { type: 'tool-arguments', index, text };
    }
  }
  yield finish(answer, 'tool_calls', calls.length);
}

function finish(answer: ScriptedAnswer, reason: FinishReason, completionTokens: number): ChatEvent {
  const { promptTokens, renderedPrompt } = answer;
  return {
    type: 'finish',
    reason,
    usage: { promptTokens, cachedTokens: 0, completionTokens },
    timings: { prefillTokens: promptTokens, prefillMs: 1, decodeTokens: completionTokens, decodeMs: 1 },
    renderedPrompt,
  };
}

function logprobsOf(
  word: string,
  alternatives: number | undefined,
): { readonly logprobs?: readonly TokenLogprob[] } {
  if (alternatives === undefined) return {};
  const tokens = [word, ...Array.from({ length: Math.max(0, alternatives - 1) }, (_, index) => ` ${index}`)];
  const top = tokens.slice(0, alternatives).map((token, index) => entry(token, -0.125 * (index + 1)));
  return { logprobs: [{ ...entry(word, -0.125), top }] };
}

function entry(token: string, logprob: number): Omit<TokenLogprob, 'top'> {
  return { token, bytes: [...new TextEncoder().encode(token)], logprob };
}
