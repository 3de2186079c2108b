/** The messages of a request's body, as text: what was said by whom. Anything may stand in a body. */

export interface SaidMessage {
  readonly role: string;
  readonly text: string;
}

/** Of a chat, a completion, an embedding or a reranking; empty where none can be told. */
export function messagesOf(body: unknown): readonly SaidMessage[] {
  if (!isRecord(body)) return [];
  if (Array.isArray(body.messages)) return body.messages.map(said);
  const asked = body.prompt ?? body.query ?? body.input;
  if (asked === undefined) return [];
  const texts: readonly unknown[] = Array.isArray(asked) && !asked.every(isNumber) ? asked : [asked];
  const documents: readonly unknown[] = Array.isArray(body.documents) ? body.documents : [];
  return [
    ...texts.map((text) => ({ role: 'prompt', text: textOf(text) })),
    ...documents.map((text) => ({ role: 'document', text: textOf(text) })),
  ];
}

function said(message: unknown): SaidMessage {
  if (!isRecord(message)) return { role: 'message', text: textOf(message) };
  const parts = [textOf(message.content)];
  if (message.tool_calls !== undefined) parts.push(JSON.stringify(message.tool_calls, undefined, 2));
  return { role: textOf(message.role), text: parts.filter((part) => part !== '').join('\n') };
}

function textOf(content: unknown): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (Array.isArray(content) && !content.every(isNumber)) return content.map(partText).join('\n');
  return JSON.stringify(content);
}

/** A picture or a sound is named, not shown. */
function partText(part: unknown): string {
  if (!isRecord(part)) return textOf(part);
  if (typeof part.text === 'string') return part.text;
  if (part.type === 'image_url') return '[picture]';
  if (part.type === 'input_audio') return '[sound]';
  return JSON.stringify(part);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}
