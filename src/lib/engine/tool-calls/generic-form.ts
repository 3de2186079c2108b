/** Tools for a model whose template knows none: told in the system text, called and answered in the form of Hermes. */
import { messageText, type ChatMessage, type Tool } from '#lib/openai/chat.ts';

/** The same conversation without tool fields and roles. */
export function withoutToolFields(
  messages: readonly ChatMessage[],
  tools: readonly Tool[],
): readonly ChatMessage[] {
  const plain = messages.map(plainMessage);
  if (tools.length === 0) return plain;
  const [first, ...rest] = plain;
  if (first?.role !== 'system' && first?.role !== 'developer')
    return [{ role: 'system', content: toolText(tools) }, ...plain];
  return [{ ...first, content: `${messageText(first)}\n\n${toolText(tools)}` }, ...rest];
}

function plainMessage(message: ChatMessage): ChatMessage {
  if (message.role === 'tool') {
    return { role: 'user', content: `<tool_response>\n${messageText(message)}\n</tool_response>` };
  }
  const { tool_calls: calls, ...rest } = message;
  if (!calls || calls.length === 0) return rest;
  const written = calls.map(({ function: { name, arguments: text } }) => callText(name, text));
  return { ...rest, content: [messageText(message), ...written].filter((part) => part !== '').join('\n') };
}

function callText(name: string, argumentsText: string): string {
  const given = argumentsText.trim() === '' ? '{}' : argumentsText;
  return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${given}}\n</tool_call>`;
}

function toolText(tools: readonly Tool[]): string {
  const lines = tools.map(({ function: { name, description, parameters } }) =>
    JSON.stringify({ name, ...(description ? { description } : {}), parameters: parameters ?? {} }),
  );
  return [
    'You can call these functions, one a line with the JSON Schema of its arguments:',
    ...lines,
    'To call one, answer with nothing but this, once for every call:',
    '<tool_call>',
    '{"name": "the function", "arguments": {"its": "arguments"}}',
    '</tool_call>',
    'What it returns comes back in <tool_response>. When no function helps, answer in plain words.',
  ].join('\n');
}
