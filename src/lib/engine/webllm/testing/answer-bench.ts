/** An answerer over a model that says what it is told to. */
import type { Span } from '#lib/engine/webllm/plan.ts';
import { Answerer } from '#lib/engine/webllm/worker/answer.ts';
import type { PictureShelf } from '#lib/engine/webllm/worker/pictures.ts';
import { messageText, type ChatMessage, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { FakePipeline } from './fake-pipeline.ts';

export interface AnswerBenchOptions {
  readonly span?: Span;
  readonly thinkBudget?: number;
  readonly shelf?: PictureShelf;
}

export class AnswerBench {
  readonly pipeline = new FakePipeline();
  readonly answerer: Answerer;

  /** Its prompts are the texts of the messages, its own stop text is `</e>`. */
  constructor({ span = { kind: 'context', tokens: 40 }, thinkBudget, shelf }: AnswerBenchOptions = {}) {
    const render = ({ messages }: ChatRequest) => messages.map(messageText).join('');
    const form = { render, prefixTokens: [1], callFormat: 'hermes' as const, beginText: '<s>' };
    const { pipeline } = this;
    const stopTexts = ['</e>'];
    const { engine } = pipeline;
    this.answerer = new Answerer({ engine, pipeline, form, span, stopTexts, thinkBudget, shelf });
  }

  /** What the model will say. */
  next(pieces: readonly string[], end: 'stop' | 'length' = 'stop'): void {
    this.pipeline.replies.push({ pieces, end });
  }

  ask(content: string, fields: Partial<ChatRequest> = {}): Promise<ChatEvent[]> {
    return this.askAbout([{ role: 'user', content }], fields);
  }

  askAbout(messages: ChatMessage[], fields: Partial<ChatRequest> = {}): Promise<ChatEvent[]> {
    return gather(this.answerer.chat({ model: 'x', messages, ...fields }, new AbortController().signal));
  }
}

export async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const gathered: ChatEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

export function textOf(events: readonly ChatEvent[], type: 'text' | 'reasoning' = 'text'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('');
}
