/** What an answer says, joined from its pieces while they come: chunks of a stream, or one whole JSON text. */
import { createParser } from 'eventsource-parser';
import { parseJson } from './client.ts';

export class AnswerText {
  readonly #form: 'events' | 'json' | 'other';
  readonly #events = createParser({ onEvent: ({ data }) => this.#add(parseJson(data)) });
  #text = '';

  constructor(contentType: string) {
    this.#form = formOf(contentType);
  }

  /** Empty as long as nothing was said. */
  get text(): string {
    return this.#text;
  }

  feed(piece: string): void {
    if (this.#form === 'events') this.#events.feed(piece);
  }

  /** At the end of a body that was no stream. */
  finish(whole: string): void {
    if (this.#form === 'json') this.#add(parseJson(whole));
  }

  #add(value: unknown): void {
    const { choices } = asRecord(value);
    const [first] = Array.isArray(choices) ? (choices as readonly unknown[]) : [];
    const { text, delta, message } = asRecord(first);
    for (const said of [text, asRecord(delta).content, asRecord(message).content]) {
      if (typeof said === 'string') this.#text += said;
    }
  }
}

function formOf(contentType: string): 'events' | 'json' | 'other' {
  if (contentType.startsWith('text/event-stream')) return 'events';
  return contentType.startsWith('application/json') ? 'json' : 'other';
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  // An object of JSON has any keys, and those that are absent are `undefined`.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
