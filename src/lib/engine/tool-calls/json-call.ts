/** A call as an object: `{"name": …, "arguments": {…}}`; Llama says `parameters`, some models wrap it as OpenAI does. */
import { ObjectScanner } from './object-scanner.ts';
import type { CallHead } from './syntax.ts';

/** In this order, in which all models are taught, arguments are told while they come. */
const usual =
  /^\s*\{\s*(?:"type"\s*:\s*"function"\s*,\s*)?"name"\s*:\s*"([\w.-]+)"\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)/;

export function readJsonCall(text: string): CallHead {
  const lead = text.length - text.trimStart().length;
  if (lead === text.length) return { kind: 'more' };
  if (text.charAt(lead) !== '{') return { kind: 'malformed' };
  const [begun, name] = usual.exec(text) ?? [];
  if (begun !== undefined && name !== undefined)
    return { kind: 'begun', name, argumentsAt: begun.length, wrapped: true };
  const scanned = new ObjectScanner().scan(text.slice(lead));
  if (scanned.kind === 'open') return { kind: 'more' };
  if (scanned.kind === 'broken') return { kind: 'malformed' };
  const length = lead + scanned.length;
  return wholeCall(text.slice(lead, length), length);
}

function wholeCall(json: string, length: number): CallHead {
  const outer = parseObject(json);
  const call = isObject(outer?.function) ? outer.function : outer;
  const name = call?.name;
  const argumentsJson = argumentsOf(call?.arguments ?? call?.parameters ?? {});
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || argumentsJson === undefined)
    return { kind: 'malformed' };
  return { kind: 'whole', name, argumentsJson, length };
}

/** Some models write the arguments as text that holds an object. */
function argumentsOf(value: unknown): string | undefined {
  if (isObject(value)) return JSON.stringify(value);
  return typeof value === 'string' && parseObject(value) ? value : undefined;
}

/** `undefined` for what is no object. */
export function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
