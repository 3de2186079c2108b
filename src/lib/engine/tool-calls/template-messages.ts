/** Tool fields as chat templates expect them: arguments are objects, and nothing that is absent is `null`. */
import type { ChatMessage, Tool } from '#lib/openai/chat.ts';
import { parseObject } from './json-call.ts';
import type { CallFormat } from './syntax.ts';

type Fields = Readonly<Record<string, unknown>>;

export function templateTools(tools: readonly Tool[]): readonly Fields[] {
  return tools.map(({ function: { name, description, parameters } }) => ({
    type: 'function',
    // Templates read all three.
    function: { name, description: description ?? '', parameters: parameters ?? emptySchema },
  }));
}

const emptySchema = { type: 'object', properties: {} };

export function templateToolFields(message: ChatMessage, format: CallFormat): Fields {
  const idOf = format === 'mistral' ? shortId : (id: string) => id;
  const { tool_calls: calls, tool_call_id: callId } = message;
  return {
    ...(calls && calls.length > 0
      ? {
          tool_calls: calls.map(({ id, function: { name, arguments: text } }) => ({
            id: idOf(id),
            type: 'function',
            function: { name, arguments: text.trim() === '' ? {} : (parseObject(text) ?? text) },
          })),
        }
      : {}),
    ...(callId ? { tool_call_id: idOf(callId) } : {}),
  };
}

/** Mistral's templates throw at ids that are not nine letters and digits. */
function shortId(id: string): string {
  return id
    .replaceAll(/[^a-zA-Z0-9]/g, '')
    .slice(-9)
    .padStart(9, '0');
}
