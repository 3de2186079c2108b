/** One answer of a model: grows as its stream arrives, and is shown once per frame. */
import { toApiError } from '#lib/core/errors.ts';
import type { ChatChunk } from '#lib/openai/chat.ts';
import type { AnswerState, AnswerStats, StoredAnswer } from './stored.ts';

interface PromptProgress {
  readonly processed: number;
  readonly total: number;
}

export class Answer {
  readonly model: string;
  #text = $state('');
  #reasoning = $state('');
  #state = $state.raw<AnswerState>({ status: 'waiting' });
  #stats = $state.raw<AnswerStats>({});
  #prompt = $state.raw<PromptProgress>();
  #requestId = $state<string>();

  /** What arrived since the last frame. */
  #pendingText = '';
  #pendingReasoning = '';
  #deltas = 0;
  #startedMs = 0;
  #firstMs: number | undefined;

  private constructor(model: string) {
    this.model = model;
  }

  static begin(model: string, nowMs: number): Answer {
    const answer = new Answer(model);
    answer.#startedMs = nowMs;
    return answer;
  }

  /** An answer that was being written when its page went away counts as stopped. */
  static restore(stored: StoredAnswer): Answer {
    const answer = new Answer(stored.model);
    answer.#text = stored.text;
    answer.#reasoning = stored.reasoning;
    answer.#state = isOpen(stored.state) ? { status: 'stopped' } : stored.state;
    answer.#stats = stored.stats;
    answer.#requestId = stored.requestId;
    return answer;
  }

  get text(): string {
    return this.#text;
  }

  get reasoning(): string {
    return this.#reasoning;
  }

  get state(): AnswerState {
    return this.#state;
  }

  get stats(): AnswerStats {
    return this.#stats;
  }

  /** How much of the prompt the engine has read, before the first token. */
  get prompt(): PromptProgress | undefined {
    return this.#prompt;
  }

  /** Of the record that tells how it came about; absent when nothing was recorded. */
  get requestId(): string | undefined {
    return this.#requestId;
  }

  get open(): boolean {
    return isOpen(this.#state);
  }

  get thinking(): boolean {
    return this.#state.status === 'writing' && this.#reasoning !== '' && this.#text === '';
  }

  get empty(): boolean {
    return this.#text === '' && this.#reasoning === '';
  }

  /** Takes one chunk in; nothing is visible before `flush`. */
  receive(chunk: ChatChunk, nowMs: number): void {
    const choice = chunk.choices[0];
    const { content, reasoning_content: reasoning } = choice?.delta ?? {};
    if (chunk.prompt_progress) this.#prompt = chunk.prompt_progress;
    if (content || reasoning) this.#count(nowMs);
    if (reasoning) this.#pendingReasoning += reasoning;
    if (content) this.#receiveText(content, nowMs);
    if (chunk.usage || chunk.timings) this.#measure(chunk);
    if (choice?.finish_reason) this.#finish = choice.finish_reason === 'length' ? 'length' : 'stop';
  }

  /** Shows what arrived. Called once per frame. */
  flush(): void {
    this.#reasoning += this.#pendingReasoning;
    this.#text += this.#pendingText;
    if (this.#deltas > 0 && this.#state.status === 'waiting') this.#state = { status: 'writing' };
    if (this.#deltas > (this.#stats.tokens ?? 0)) this.#stats = { ...this.#stats, tokens: this.#deltas };
    this.#pendingReasoning = '';
    this.#pendingText = '';
  }

  noteRequest(id: string): void {
    this.#requestId = id;
  }

  noteLoading(): void {
    this.#stats = { ...this.#stats, withLoading: true };
  }

  end(): void {
    this.#close({ status: 'done', finish: this.#finish });
  }

  /** Keeps the text so far; an abort is a result, anything else an error to show. */
  endWith(thrown: unknown): void {
    const { code, message } = toApiError(thrown);
    this.#close(code === 'aborted' ? { status: 'stopped' } : { status: 'failed', code, message });
  }

  toStored(): StoredAnswer {
    return {
      model: this.model,
      text: this.#text + this.#pendingText,
      reasoning: this.#reasoning + this.#pendingReasoning,
      state: { ...this.#state },
      stats: { ...this.#stats },
      ...(this.#requestId !== undefined && { requestId: this.#requestId }),
    };
  }

  #finish: 'stop' | 'length' = 'stop';

  #count(nowMs: number): void {
    this.#deltas++;
    if (this.#firstMs !== undefined) return;
    this.#firstMs = nowMs;
    this.#stats = { ...this.#stats, firstTokenMs: nowMs - this.#startedMs };
  }

  #receiveText(content: string, nowMs: number): void {
    const endsThought =
      this.#stats.thoughtMs === undefined && this.#reasoning + this.#pendingReasoning !== '';
    if (endsThought) this.#stats = { ...this.#stats, thoughtMs: nowMs - (this.#firstMs ?? nowMs) };
    this.#pendingText += content;
  }

  #measure({ usage, timings }: ChatChunk): void {
    this.#stats = {
      ...this.#stats,
      ...(usage && {
        tokens: usage.completion_tokens,
        promptTokens: usage.prompt_tokens,
        cachedTokens: usage.prompt_tokens_details.cached_tokens,
      }),
      ...(timings && { tokens: timings.predicted_n, tokensPerSecond: timings.predicted_per_second }),
    };
  }

  #close(state: AnswerState): void {
    this.flush();
    this.#state = state;
  }
}

function isOpen(state: AnswerState): boolean {
  return state.status === 'waiting' || state.status === 'writing';
}
