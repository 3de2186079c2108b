/** Qwen3-Coder's form: `<function=name><parameter=key>value</parameter></function>`. Values are text of unsaid type. */
import type { Tool } from '#lib/openai/chat.ts';
import type { CallHead } from './syntax.ts';

const opening = '<function=';

export function readXmlCall(text: string, tools: readonly Tool[]): CallHead {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith(opening))
    return opening.startsWith(trimmed) ? { kind: 'more' } : { kind: 'malformed' };
  const [whole, name, body] = /^\s*<function=([^>\s]*)>([^]*?)<\/function>/.exec(text) ?? [];
  if (whole === undefined || name === undefined || body === undefined) return { kind: 'more' };
  if (!/^[\w.-]+$/.test(name)) return { kind: 'malformed' };
  const types = typesOf(tools.find((tool) => tool.function.name === name));
  const found = body.matchAll(/<parameter=([^>\s]+)>\n?([^]*?)\n?<\/parameter>/g);
  const values = [...found].map(([, key = '', value = '']) => [key, valueOf(value, types(key))] as const);
  return {
    kind: 'whole',
    name,
    argumentsJson: JSON.stringify(Object.fromEntries(values)),
    length: whole.length,
  };
}

/** What a tool's schema says of a parameter. */
function typesOf(tool: Tool | undefined): (key: string) => unknown {
  const properties = tool?.function.parameters?.properties;
  return (key): unknown => {
    if (typeof properties !== 'object' || properties === null) return undefined;
    const property: unknown = Reflect.get(properties, key);
    return typeof property === 'object' && property !== null ? Reflect.get(property, 'type') : undefined;
  };
}

function valueOf(text: string, type: unknown): unknown {
  if (type === 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
