/** The text of a growing reply that may be sent: no part of a stop text and no half of a character. */
import type { ChatRequest } from '#lib/openai/chat.ts';

export class ReplyText {
  readonly #stops: readonly string[];
  #sentLength = 0;
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** A stop text was found; nothing more will come. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The new text that is surely part of the reply. */
  advance(reply: string): string {
    return this.#take(reply, (unsent) => {
      const whole = withoutHalves(unsent);
      return whole.length - heldBackLength(whole, this.#stops);
    });
  }

  /** What was held back and turned out to be text. */
  end(reply: string): string {
    return this.#take(reply, (unsent) => withoutHalves(unsent).length);
  }

  #take(reply: string, lengthOf: (unsent: string) => number): string {
    if (this.#stopped) return '';
    const unsent = reply.slice(this.#sentLength);
    const stop = firstStop(unsent, this.#stops);
    this.#stopped = stop !== undefined;
    const text = unsent.slice(0, stop ?? lengthOf(unsent));
    this.#sentLength += text.length;
    return text;
  }
}

/** Where a request wants the reply to end. */
export function stopTextsOf({ stop }: ChatRequest): readonly string[] {
  if (typeof stop === 'string') return [stop];
  return stop ?? [];
}

/** Where the stop text begins that is complete first, as if the text came letter by letter; of several, the longest. */
function firstStop(text: string, stops: readonly string[]): number | undefined {
  const found = stops
    .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
    .filter(({ start }) => start >= 0)
    .sort((one, other) => one.start + one.length - (other.start + other.length) || one.start - other.start);
  return found[0]?.start;
}

/** Of the longest end of the text that is the beginning of a stop text. */
function heldBackLength(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}

/** Bytes of a character whose other bytes are yet to come are decoded to U+FFFD. */
function withoutHalves(text: string): string {
  return text.replace(/\uFFFD+$/, '');
}
