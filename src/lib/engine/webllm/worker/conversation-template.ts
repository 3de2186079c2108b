/** MLC's `conv_template`, rendered as mlc-llm does; WebLLM's own rendering loses what `$&` stands for in a message. */
import { ApiError } from '#lib/core/errors.ts';
import type { ConversationTemplate } from '#lib/engine/webllm/chat-config.ts';
import { messageText, type ChatMessage } from '#lib/openai/chat.ts';

/** Throws `invalid_request` for a system message that is not the first. */
export function renderConversation(messages: readonly ChatMessage[], template: ConversationTemplate): string {
  const [first] = messages;
  const hasSystem = first !== undefined && isSystem(first);
  const systemText = hasSystem ? messageText(first) : template.systemMessage;
  const system = fill(template.systemTemplate, 'system_message', systemText);
  const turns = hasSystem ? messages.slice(1) : messages;
  const rendered = turns.map((message, index) => {
    const separator = template.separators[index % template.separators.length] ?? '';
    const speaks = index > 0 || template.roleAfterSystem || system === '';
    const name = speaks ? roleName(message, template) + template.contentSeparator : '';
    return name + filledMessage(message, template) + separator;
  });
  return system + rendered.join('') + template.roles.assistant + template.emptySeparator;
}

function filledMessage(message: ChatMessage, { roleTemplates }: ConversationTemplate): string {
  const text = messageText(message);
  const form = roleTemplates[message.role];
  if (form === undefined) return text;
  return fill(form.replaceAll('{function_string}', ''), `${message.role}_message`, text);
}

/** `replace` with a string would give `$&` in the text a meaning. */
function fill(form: string, name: string, text: string): string {
  return form.replace(`{${name}}`, () => text);
}

function roleName({ role }: ChatMessage, { roles }: ConversationTemplate): string {
  if (role === 'user' || role === 'assistant' || role === 'tool') return roles[role];
  throw new ApiError(
    'invalid_request',
    'This model takes one system message, and as the first message. Put all instructions into it.',
    { param: 'messages' },
  );
}

function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}
