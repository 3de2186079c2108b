/**
 * Takes the calls out of a growing answer. Text comes in any cuts, and no part of a marker is told as text unless it
 * turns out to be text; a call that is malformed before its arguments is text. Arguments are told as they come.
 */
import type { Tool } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ObjectScanner } from './object-scanner.ts';
import { callSyntaxes, type CallFormat, type CallSyntax } from './syntax.ts';

export type AnswerPart = Extract<ChatEvent, { type: 'text' | 'tool-call' | 'tool-arguments' }>;

export interface ToolCallParserOptions {
  readonly format: CallFormat;
  readonly tools: readonly Tool[];
  readonly newId?: () => string;
}

type State =
  | { readonly kind: 'text' }
  /** `said` is what began the call, and is text if it turns out to be none. */
  | { readonly kind: 'head'; readonly said: string }
  | { readonly kind: 'arguments'; readonly scanner: ObjectScanner; readonly wrapped: boolean }
  /** The rest of the object around the arguments. */
  | { readonly kind: 'wrapping'; readonly scanner: ObjectScanner }
  | { readonly kind: 'tail'; readonly wrapped: boolean };

export class ToolCallParser {
  readonly #syntax: CallSyntax;
  readonly #tools: readonly Tool[];
  readonly #newId: () => string;
  #state: State = { kind: 'text' };
  #unread = '';
  #parts: AnswerPart[] = [];
  #calls = 0;
  /** White space that is told only if text follows it. */
  #blank = '';
  #spoken: 'nothing' | 'text' | 'call' = 'nothing';

  constructor({ format, tools, newId }: ToolCallParserOptions) {
    this.#syntax = callSyntaxes[format];
    this.#tools = tools;
    this.#newId = newId ?? newCallId;
  }

  /** Calls that are complete. */
  get completeCalls(): number {
    const open = this.#state.kind === 'arguments' || this.#state.kind === 'wrapping';
    return open ? this.#calls - 1 : this.#calls;
  }

  /** Calls that were begun. */
  get calls(): number {
    return this.#calls;
  }

  add(text: string): readonly AnswerPart[] {
    this.#unread += text;
    while (this.#advance());
    return this.#take();
  }

  /** What was held back when nothing more comes. */
  end(): readonly AnswerPart[] {
    const { kind } = this.#state;
    if (kind === 'head') this.#say(this.#state.said + this.#unread);
    else if (kind === 'text') this.#say(this.#unread);
    if (this.#calls === 0 && this.#blank !== '') this.#parts.push({ type: 'text', text: this.#blank });
    this.#blank = this.#unread = '';
    return this.#take();
  }

  #take(): readonly AnswerPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  /** One step; false when more text is needed. */
  #advance(): boolean {
    const state = this.#state;
    switch (state.kind) {
      case 'text':
        return this.#findCall();
      case 'head':
        return this.#readHead(state.said);
      case 'arguments':
        return this.#readArguments(state.scanner, state.wrapped);
      case 'wrapping':
        return this.#readWrapping(state.scanner);
      case 'tail':
        return this.#readTail(state.wrapped);
    }
  }

  #findCall(): boolean {
    const { marker, bare } = this.#syntax;
    if (bare && this.#spoken === 'nothing' && this.#unread.trimStart().startsWith('{')) {
      return this.#enter({ kind: 'head', said: '' });
    }
    const at = this.#unread.indexOf(marker);
    this.#say(this.#read(at >= 0 ? at : this.#unread.length - heldBack(this.#unread, marker)));
    return at >= 0 && this.#enter({ kind: 'head', said: this.#read(marker.length) });
  }

  #readHead(said: string): boolean {
    const head = this.#syntax.head(this.#unread, this.#tools);
    if (head.kind === 'more') return false;
    if (head.kind === 'malformed') {
      // Not bare any more, or it would be looked at again.
      this.#spoken = this.#spoken === 'call' ? 'call' : 'text';
      this.#say(said);
      return this.#enter({ kind: 'text' });
    }
    this.#begin(head.name);
    if (head.kind === 'begun') {
      this.#read(head.argumentsAt);
      return this.#enter({ kind: 'arguments', scanner: new ObjectScanner(), wrapped: head.wrapped });
    }
    this.#read(head.length);
    this.#argue(head.argumentsJson);
    return this.#enter({ kind: 'tail', wrapped: true });
  }

  #readArguments(scanner: ObjectScanner, wrapped: boolean): boolean {
    const scanned = scanner.scan(this.#unread);
    this.#argue(this.#read(scanned.kind === 'open' ? this.#unread.length : scanned.length));
    if (scanned.kind === 'open') return false;
    const closed = scanned.kind === 'closed';
    return this.#enter(
      closed && wrapped ? { kind: 'wrapping', scanner: new ObjectScanner(1) } : { kind: 'tail', wrapped },
    );
  }

  #readWrapping(scanner: ObjectScanner): boolean {
    const scanned = scanner.scan(this.#unread);
    this.#read(scanned.kind === 'open' ? this.#unread.length : scanned.length);
    return scanned.kind !== 'open' && this.#enter({ kind: 'tail', wrapped: true });
  }

  #readTail(wrapped: boolean): boolean {
    const tail = this.#syntax.tail(this.#unread, wrapped);
    if (tail.kind === 'more') return false;
    const said = this.#read(tail.length);
    return this.#enter(tail.kind === 'another' ? { kind: 'head', said } : { kind: 'text' });
  }

  #enter(state: State): true {
    this.#state = state;
    return true;
  }

  #read(length: number): string {
    const text = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return text;
  }

  #begin(name: string): void {
    this.#blank = '';
    this.#spoken = 'call';
    this.#parts.push({ type: 'tool-call', index: this.#calls++, id: this.#newId(), name });
  }

  #argue(text: string): void {
    if (text !== '') this.#parts.push({ type: 'tool-arguments', index: this.#calls - 1, text });
  }

  /** White space before a call, between two and after the last belongs to no text. */
  #say(text: string): void {
    if (this.#spoken !== 'text' && text.trim() === '') {
      this.#blank += text;
      return;
    }
    const told = this.#spoken === 'call' ? text.trimStart() : this.#blank + text;
    this.#blank = '';
    if (told === '') return;
    this.#spoken = 'text';
    this.#parts.push({ type: 'text', text: told });
  }
}

/** Of the longest end of the text that is the beginning of the marker. */
function heldBack(text: string, marker: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--) {
    if (marker.startsWith(text.slice(-length))) return length;
  }
  return 0;
}

function newCallId(): string {
  return `call_${crypto.randomUUID().replaceAll('-', '')}`;
}
