/** Texts of a record: what is kept of them, and what of a body is the prompt. */
import type { KeptTextJson } from '#lib/model/wire-requests.ts';

/** A body that was let in is kept whole: 10 MiB are at most that many characters. */
export const maxTextChars = 10 * 1024 * 1024;
const excerptChars = 200;
/** Read of a text to make an excerpt of it: a megabyte of blank lines is no reason to be slow. */
const readChars = 4000;

/** Never silently: what is missing is counted. A pair of surrogates is not torn. */
export function keepText(text: string, maxChars = maxTextChars): KeptTextJson {
  if (text.length <= maxChars) return { text };
  const torn = /[\ud800-\udbff]/.test(text.charAt(maxChars - 1));
  const kept = torn ? maxChars - 1 : maxChars;
  return { text: text.slice(0, kept), cut_chars: text.length - kept };
}

/** The start of a text, on one line. */
export function excerpt(text: string): string {
  const line = text.slice(0, readChars).replace(/\s+/g, ' ').trim();
  return keepText(line, excerptChars).text;
}

export interface AskedParts {
  readonly model: string;
  /** Everything that the model is asked, as text. */
  readonly prompt: string;
  /** The last message or input. */
  readonly last: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Reads any body, also one that no endpoint would take: a refused request is a record too. */
export function readAsked(body: unknown): AskedParts {
  const fields = isRecord(body) ? body : {};
  const { model, messages, prompt, input, query, documents, ...parameters } = fields;
  const texts = [messages, prompt, input, query, documents].flatMap(textsOf);
  return {
    model: typeof model === 'string' ? model : '',
    prompt: texts.join('\n'),
    last: messages === undefined ? (texts[0] ?? '') : (textsOf(messages).at(-1) ?? ''),
    parameters,
  };
}

/** Every text inside a value of messages, parts or inputs. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (!isRecord(value)) return [];
  const { content, text, type } = value;
  // The parts of one message belong together.
  if (content !== undefined) return [textsOf(content).join(' ')];
  if (text !== undefined) return textsOf(text);
  return typeof type === 'string' ? [`[${type}]`] : [];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
