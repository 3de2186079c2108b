/** One answer of a chat while it is gathered: text, thinking and calls become a message. */
import { wireLogprob, type WireLogprob } from './answer-figures.ts';
import type { ChatCompletion, WireToolCall } from './chat.ts';
import type { ChatEvent, FinishReason } from './events.ts';

export class ChatChoice {
  readonly #calls = new Map<number, WireToolCall>();
  readonly #logprobs: WireLogprob[] = [];
  readonly #index: number;
  #text = '';
  #reasoning = '';
  #reason: FinishReason | undefined;

  constructor(index: number) {
    this.#index = index;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case 'text':
        this.#text += event.text;
        this.#logprobs.push(...(event.logprobs ?? []).map(wireLogprob));
        break;
      case 'reasoning':
        this.#reasoning += event.text;
        break;
      case 'tool-call':
        this.#call(event.index, { id: event.id, name: event.name, text: '' });
        break;
      case 'tool-arguments':
        this.#call(event.index, { text: event.text });
        break;
      case 'finish':
        this.#reason = event.reason;
        break;
      case 'prefill':
    }
  }

  toWire(): ChatCompletion['choices'][number] {
    if (!this.#reason) throw new Error('the engine ended without a finish event');
    const calls = [...this.#calls.values()];
    return {
      index: this.#index,
      message: {
        role: 'assistant',
        content: this.#text === '' && calls.length > 0 ? null : this.#text,
        ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      ...(this.#logprobs.length === 0 ? {} : { logprobs: { content: this.#logprobs } }),
      finish_reason: this.#reason,
    };
  }

  #call(index: number, { id, name, text }: { id?: string; name?: string; text: string }): void {
    const known = this.#calls.get(index);
    this.#calls.set(index, {
      id: id ?? known?.id ?? '',
      type: 'function',
      function: {
        name: name ?? known?.function.name ?? '',
        arguments: (known?.function.arguments ?? '') + text,
      },
    });
  }
}
