/** How models write calls down in their text, one syntax a family. */
import type { Tool } from '#lib/openai/chat.ts';
import { readJsonCall } from './json-call.ts';
import { readXmlCall } from './xml-call.ts';

/** What stands at the beginning of a text that may be a call. */
export type CallHead =
  /** More text decides it. */
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed' }
  /** Its arguments begin at `argumentsAt`; `wrapped` is whether an object around them has yet to close. */
  | {
      readonly kind: 'begun';
      readonly name: string;
      readonly argumentsAt: number;
      readonly wrapped: boolean;
    }
  | {
      readonly kind: 'whole';
      readonly name: string;
      readonly argumentsJson: string;
      readonly length: number;
    };

/** What follows a call and is no text of the answer. */
export type CallTail =
  | { readonly kind: 'more' }
  | { readonly kind: 'end'; readonly length: number }
  /** Another call follows without a marker of its own. */
  | { readonly kind: 'another'; readonly length: number };

export interface CallSyntax {
  /** What begins a call, wherever it stands. */
  readonly marker: string;
  /** Whether an answer that begins with an object is a call. */
  readonly bare: boolean;
  head(text: string, tools: readonly Tool[]): CallHead;
  tail(text: string, wrapped: boolean): CallTail;
}

export type CallFormat = 'hermes' | 'llama' | 'mistral';

const hermes: CallSyntax = {
  marker: '<tool_call>',
  bare: false,
  head: (text, tools) => (text.trimStart().startsWith('<') ? readXmlCall(text, tools) : readJsonCall(text)),
  tail: (text) => closing(text, '</tool_call>'),
};

/** Calls need the name of a tool: an answer that is an object may be just that. */
const llama: CallSyntax = {
  marker: '<|python_tag|>',
  bare: true,
  head(text, tools) {
    const head = readJsonCall(text);
    const named = head.kind === 'begun' || head.kind === 'whole';
    return named && !tools.some((tool) => tool.function.name === head.name) ? { kind: 'malformed' } : head;
  },
  tail: (text) => separated(text, /^\s*;\s*(?=\{)/, /^\s*;?\s*$/),
};

const mistral: CallSyntax = {
  marker: '[TOOL_CALLS]',
  bare: false,
  head(text) {
    const list = /^\s*\[\s*/.exec(text)?.[0].length ?? 0;
    if (list > 0 || /^\s*\{/.test(text)) return shifted(readJsonCall(text.slice(list)), list);
    return readNamedCall(text);
  },
  tail(text, wrapped) {
    if (!wrapped) return { kind: 'end', length: 0 };
    const closed = /^\s*\]/.exec(text);
    if (closed) return { kind: 'end', length: closed[0].length };
    return separated(text, /^\s*,\s*(?=\{)/, /^\s*,?\s*$/);
  },
};

export const callSyntaxes: Readonly<Record<CallFormat, CallSyntax>> = { hermes, llama, mistral };

/** `undefined` for a template that knows no tools, or writes calls in a way that is not known here. */
export function callFormatOf(template: string): CallFormat | undefined {
  if (!/\btools\b/.test(template)) return undefined;
  if (template.includes(mistral.marker)) return 'mistral';
  if (template.includes(hermes.marker)) return 'hermes';
  if (template.includes(llama.marker) || template.includes('"parameters": ')) return 'llama';
  return undefined;
}

/** `name[ARGS]{…}`, perhaps with `[CALL_ID]id` in between. */
function readNamedCall(text: string): CallHead {
  const named = /^\s*([\w.-]+)(?:\[CALL_ID\][\w-]+)?(?:\[ARGS\])?\s*(?=\{)/.exec(text);
  const [all, name] = named ?? [];
  if (all !== undefined && name !== undefined)
    return { kind: 'begun', name, argumentsAt: all.length, wrapped: false };
  return /^\s*[\w.-]*(?:\[[\w[\]-]*)?\s*$/.test(text) ? { kind: 'more' } : { kind: 'malformed' };
}

function shifted(head: CallHead, by: number): CallHead {
  if (head.kind === 'begun') return { ...head, argumentsAt: head.argumentsAt + by };
  return head.kind === 'whole' ? { ...head, length: head.length + by } : head;
}

/** Up to the closing mark; what a model left out of it does not matter. */
function closing(text: string, mark: string): CallTail {
  const trimmed = text.replace(/^[\s}]+/, '');
  if (trimmed.startsWith(mark)) return { kind: 'end', length: text.length - trimmed.length + mark.length };
  return mark.startsWith(trimmed) ? { kind: 'more' } : { kind: 'end', length: 0 };
}

function separated(text: string, separator: RegExp, undecided: RegExp): CallTail {
  const another = separator.exec(text);
  if (another) return { kind: 'another', length: another[0].length };
  return undecided.test(text) ? { kind: 'more' } : { kind: 'end', length: 0 };
}
