/**
 * Splits a thinking block at the start of an answer from the answer. llama.cpp does it where the chat template speaks
 * of thinking; a model may think without that, and WebLLM never splits.
 */
import type { ChatEvent, TokenLogprob } from '#lib/openai/events.ts';

const open = '<think>';
const close = '</think>';

type State = 'start' | 'thinking' | 'answer';

export async function* splitReasoning(
  events: AsyncIterable<ChatEvent>,
): AsyncGenerator<ChatEvent, void, undefined> {
  const splitter = new ReasoningSplitter();
  let held: readonly TokenLogprob[] = [];
  for await (const event of events) {
    if (event.type === 'text') {
      held = [...held, ...(event.logprobs ?? [])];
      const told = splitter.add(event.text).map((each) => withLogprobs(each, held));
      // Of a thought and its tags nobody asked how likely they are.
      if (!splitter.undecided || told.length > 0) held = [];
      yield* told;
    } else if (event.type === 'finish') {
      yield* [...splitter.end().map((each) => withLogprobs(each, held)), event];
    } else yield event;
  }
}

function withLogprobs(told: ChatEvent, logprobs: readonly TokenLogprob[]): ChatEvent {
  return told.type === 'text' && logprobs.length > 0 ? { ...told, logprobs } : told;
}

/** Text in any cuts; a tag that is cut in the middle is held back until it is clear what it is. */
export class ReasoningSplitter {
  #state: State = 'start';
  #held = '';
  #skipSpace = false;

  /** What came so far may still become a thought. */
  get undecided(): boolean {
    return this.#state === 'start';
  }

  add(text: string): readonly ChatEvent[] {
    if (this.#state === 'answer') return this.#answer(text);
    this.#held += text;
    return this.#state === 'start' ? this.#begin() : this.#think();
  }

  /** What was held back when nothing more comes. */
  end(): readonly ChatEvent[] {
    const held = this.#held;
    this.#held = '';
    if (this.#state === 'thinking') return event('reasoning', held.trimEnd());
    return event('text', held);
  }

  #begin(): readonly ChatEvent[] {
    const trimmed = this.#held.trimStart();
    if (open.startsWith(trimmed)) return [];
    if (!trimmed.startsWith(open)) {
      this.#state = 'answer';
      return this.end();
    }
    this.#state = 'thinking';
    this.#held = trimmed.slice(open.length).trimStart();
    return this.#think();
  }

  #think(): readonly ChatEvent[] {
    const at = this.#held.indexOf(close);
    if (at >= 0) {
      const thought = this.#held.slice(0, at).trimEnd();
      const rest = this.#held.slice(at + close.length);
      this.#held = '';
      this.#state = 'answer';
      this.#skipSpace = true;
      return [...event('reasoning', thought), ...this.#answer(rest)];
    }
    const sure = this.#held.length - unsureTail(this.#held);
    const told = this.#held.slice(0, sure);
    this.#held = this.#held.slice(sure);
    return event('reasoning', told);
  }

  /** The blank lines between thought and answer belong to neither. */
  #answer(text: string): readonly ChatEvent[] {
    const told = this.#skipSpace ? text.trimStart() : text;
    if (told !== '') this.#skipSpace = false;
    return event('text', told);
  }
}

/** How many characters at the end may still become `</think>`, with the white space before it. */
function unsureTail(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length--) {
    if (close.startsWith(text.slice(-length))) return length + trailingSpace(text.slice(0, -length));
  }
  return trailingSpace(text);
}

function trailingSpace(text: string): number {
  return text.length - text.trimEnd().length;
}

function event(type: 'text' | 'reasoning', text: string): readonly ChatEvent[] {
  return text === '' ? [] : [{ type, text }];
}
