/**
 * Reads calls in the generic form while they stream (see `tool-form.ts`): a call is told when its name is known, its
 * arguments as they come. Text that turns out to be no call is told as text, and nothing is ever told twice.
 */
import type { ChatEvent, TokenLogprob } from '#lib/openai/events.ts';

/** Some models wrap JSON into a code block. */
const opening = /^\s*(?:```(?:json)?\s*)?\{\s*"tool_calls"\s*:\s*\[/;
const openings = ['{"tool_calls":[', '```{"tool_calls":[', '```json{"tool_calls":['];
const callHead = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"(?:arguments|parameters)"\s*:\s*\{/;
const callEnd = /^\s*\}\s*([,\]])/;
/** Longer than any tool's name. */
const maxHeadChars = 500;

type State = 'undecided' | 'text' | 'call' | 'arguments' | 'between' | 'ended' | 'garbled';

/** Turns text events into calls where they are some, and says so at the end. */
export async function* readCalls(
  events: AsyncIterable<ChatEvent>,
  names: ReadonlySet<string>,
): AsyncGenerator<ChatEvent, void, undefined> {
  const reader = new CallReader(names);
  const held: TokenLogprob[] = [];
  for await (const event of events) {
    if (event.type === 'text') {
      held.push(...(event.logprobs ?? []));
      for (const told of reader.add(event.text)) yield withLogprobs(told, held);
    } else if (event.type === 'finish') {
      for (const told of reader.end()) yield withLogprobs(told, held);
      yield event.reason === 'stop' && reader.calls > 0 ? { ...event, reason: 'tool_calls' } : event;
    } else yield event;
  }
}

function withLogprobs(event: ChatEvent, held: TokenLogprob[]): ChatEvent {
  return event.type === 'text' && held.length > 0 ? { ...event, logprobs: held.splice(0) } : event;
}

export class CallReader {
  readonly #names: ReadonlySet<string>;
  readonly #newId: () => string;
  #state: State = 'undecided';
  /** Everything since the beginning, for an answer that has to be read otherwise after all. */
  #whole = '';
  #rest = '';
  #calls = 0;
  readonly #nesting = new Nesting();

  constructor(names: ReadonlySet<string>, newId: () => string = randomId) {
    this.#names = names;
    this.#newId = newId;
  }

  /** How many have begun. */
  get calls(): number {
    return this.#calls;
  }

  add(text: string): readonly ChatEvent[] {
    if (this.#state === 'text') return [{ type: 'text', text }];
    this.#whole += text;
    this.#rest += text;
    const told: ChatEvent[] = [];
    for (let before: State | undefined; before !== this.#state;) {
      before = this.#state;
      told.push(...this.#step());
      // Several calls may be in one text: "call" follows "between" follows "arguments" follows "call".
      if (this.#state !== before && this.#rest === '') break;
    }
    return told;
  }

  /** What was held back when nothing more comes. */
  end(): readonly ChatEvent[] {
    if (this.#state === 'text' || this.#state === 'arguments') return [];
    const calls = wholeCalls(this.#whole, this.#names);
    if (calls) return calls.slice(this.#calls).flatMap((call) => this.#tellWhole(call));
    return this.#calls > 0 || this.#whole === '' ? [] : [{ type: 'text', text: this.#whole }];
  }

  #step(): readonly ChatEvent[] {
    switch (this.#state) {
      case 'undecided':
        return this.#decide();
      case 'call':
        return this.#head();
      case 'arguments':
        return this.#arguments();
      case 'between':
        return this.#between();
      case 'text':
      case 'ended':
      case 'garbled':
        return [];
    }
  }

  #decide(): readonly ChatEvent[] {
    const [found] = opening.exec(this.#rest) ?? [];
    if (found !== undefined) return this.#go('call', found.length);
    const packed = this.#rest.replace(/\s+/g, '');
    if (openings.some((each) => each.startsWith(packed))) return [];
    this.#state = 'text';
    return [{ type: 'text', text: this.#whole }];
  }

  #head(): readonly ChatEvent[] {
    const [found, quoted] = callHead.exec(this.#rest) ?? [];
    if (found === undefined || quoted === undefined) {
      return this.#rest.length > maxHeadChars ? this.#go('garbled', 0) : [];
    }
    const name = unquote(quoted);
    if (typeof name !== 'string' || !this.#names.has(name)) return this.#go('garbled', 0);
    this.#go('arguments', found.length - 1);
    this.#nesting.reset();
    return [{ type: 'tool-call', index: this.#calls++, id: this.#newId(), name }];
  }

  #arguments(): readonly ChatEvent[] {
    const length = this.#nesting.read(this.#rest);
    const text = this.#rest.slice(0, length);
    this.#go(this.#nesting.closed ? 'between' : 'arguments', length);
    return text === '' ? [] : [{ type: 'tool-arguments', index: this.#calls - 1, text }];
  }

  #between(): readonly ChatEvent[] {
    const [found, mark] = callEnd.exec(this.#rest) ?? [];
    if (found !== undefined) return this.#go(mark === ',' ? 'call' : 'ended', found.length);
    return /^\s*\}?\s*$/.test(this.#rest) ? [] : this.#go('garbled', 0);
  }

  #go(state: State, length: number): readonly [] {
    this.#state = state;
    this.#rest = this.#rest.slice(length);
    return [];
  }

  #tellWhole({ name, text }: WholeCall): readonly ChatEvent[] {
    const index = this.#calls++;
    return [
      { type: 'tool-call', index, id: this.#newId(), name },
      { type: 'tool-arguments', index, text },
    ];
  }
}

/** Finds the end of a JSON object that comes in pieces. */
class Nesting {
  #depth = 0;
  #place: 'outside' | 'string' | 'escape' = 'outside';
  closed = false;

  reset(): void {
    this.#depth = 0;
    this.#place = 'outside';
    this.closed = false;
  }

  /** How many characters of the text belong to the object. */
  read(text: string): number {
    for (let at = 0; at < text.length; at++) {
      this.#read(text.charAt(at));
      if (this.closed) return at + 1;
    }
    return text.length;
  }

  #read(character: string): void {
    if (this.#place === 'escape') this.#place = 'string';
    else if (this.#place === 'string') {
      if (character === '\\') this.#place = 'escape';
      if (character === '"') this.#place = 'outside';
    } else if (character === '"') this.#place = 'string';
    else if (character === '{' || character === '[') this.#depth++;
    else if ((character === '}' || character === ']') && --this.#depth === 0) this.closed = true;
  }
}

interface WholeCall {
  readonly name: string;
  readonly text: string;
}

/** The calls of an answer in the form, its fields in any order; undefined where it is something else. */
function wholeCalls(text: string, names: ReadonlySet<string>): readonly WholeCall[] | undefined {
  const bare = text
    .trim()
    .replace(/^```(?:json)?\s*/, '')
    .replace(/\s*```$/, '');
  const parsed = unquote(bare);
  if (typeof parsed !== 'object' || parsed === null || !('tool_calls' in parsed)) return undefined;
  const list: unknown = parsed.tool_calls;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const calls = list.map((each: unknown) => wholeCall(each, names)).filter((call) => call !== undefined);
  return calls.length === list.length ? calls : undefined;
}

function wholeCall(value: unknown, names: ReadonlySet<string>): WholeCall | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  const { name } = value;
  if (typeof name !== 'string' || !names.has(name)) return undefined;
  const given: unknown = Reflect.get(value, 'arguments') ?? Reflect.get(value, 'parameters') ?? {};
  // Some models write the arguments as OpenAI's wire has them, as text.
  const isObject = typeof given === 'object' && !Array.isArray(given);
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  return isObject || typeof unquote(text) === 'object' ? { name, text } : undefined;
}

function unquote(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function randomId(): string {
  return `call_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`;
}
