/** Calls and their results of earlier turns as plain text, for templates that know nothing of tools. */
import { messageText, type ChatMessage } from '#lib/openai/chat.ts';

export function plainHistory(messages: readonly ChatMessage[]): ChatMessage[] {
  const names = new Map(
    messages.flatMap(
      ({ tool_calls: calls }) => calls?.map((call) => [call.id, call.function.name] as const) ?? [],
    ),
  );
  const plain: ChatMessage[] = [];
  let results: string[] = [];
  const flush = () => {
    if (results.length > 0) plain.push({ role: 'user', content: results.join('\n') });
    results = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      const name = names.get(message.tool_call_id ?? '') ?? message.name ?? 'a tool';
      results.push(`Result of ${name}: ${messageText(message)}`);
      continue;
    }
    flush();
    plain.push(message.tool_calls?.length ? withCallsAsText(message) : message);
  }
  flush();
  return plain;
}

/** Puts a text at the end of the system message, or in front as one. */
export function withSystemText(messages: readonly ChatMessage[], text: string): ChatMessage[] {
  const [first, ...others] = messages;
  if (first?.role !== 'system' && first?.role !== 'developer') {
    return [{ role: 'system', content: text }, ...messages];
  }
  return [{ ...first, content: `${messageText(first)}\n\n${text}` }, ...others];
}

function withCallsAsText({ tool_calls: calls, ...message }: ChatMessage): ChatMessage {
  const list = calls?.map(
    ({ function: { name, arguments: text } }) => `{"name":${JSON.stringify(name)},"arguments":${text}}`,
  );
  const said = messageText(message);
  const form = `{"tool_calls":[${list?.join(',') ?? ''}]}`;
  return { ...message, content: said === '' ? form : `${said}\n${form}` };
}
