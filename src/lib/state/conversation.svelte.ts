/** A conversation: its messages, the model it talks to and what it was told. */
import type { ChatMessage } from '#lib/openai/chat.ts';
import { Answer } from './answer.svelte.ts';
import type { AnswerStats, ConversationSettings, StoredConversation, StoredMessage } from './stored.ts';

export interface UserMessage {
  readonly role: 'user';
  readonly id: string;
  readonly text: string;
}

/** Regenerating adds a version; none is ever overwritten. */
export class AssistantMessage {
  readonly role = 'assistant';
  readonly id: string;
  #versions = $state.raw<readonly Answer[]>([]);
  #shown = $state(0);

  constructor(id: string, versions: readonly Answer[], shown: number) {
    this.id = id;
    this.#versions = versions;
    this.#shown = Math.min(shown, versions.length - 1);
  }

  get count(): number {
    return this.#versions.length;
  }

  get shown(): number {
    return this.#shown;
  }

  get answer(): Answer | undefined {
    return this.#versions[this.#shown];
  }

  /** Whether one of its versions is the answer to this request. */
  answers(requestId: string): boolean {
    return this.#versions.some((version) => version.requestId === requestId);
  }

  show(index: number): void {
    if (index >= 0 && index < this.#versions.length) this.#shown = index;
  }

  /** Adds a version and shows it; one that came to nothing makes room for it. */
  add(answer: Answer): void {
    this.#versions = [...this.#versions.filter((version) => !version.empty), answer];
    this.#shown = this.#versions.length - 1;
  }

  toStored(): StoredMessage {
    const versions = this.#versions.map((version) => version.toStored());
    return { role: 'assistant', id: this.id, versions, shown: this.#shown };
  }
}

export type Message = UserMessage | AssistantMessage;

const titleLength = 60;

export class Conversation {
  readonly id: string;
  #title = $state('');
  #model = $state('');
  #updatedMs = $state(0);
  #messages = $state.raw<readonly Message[]>([]);
  #settings = $state.raw<ConversationSettings>({ systemPrompt: '' });
  /** What stands in the composer, so that leaving the page does not lose it. */
  draft = $state('');

  constructor(id: string, stored?: StoredConversation) {
    this.id = id;
    if (!stored) return;
    this.#title = stored.title;
    this.#model = stored.model;
    this.#updatedMs = stored.updatedMs;
    this.#settings = stored.settings;
    this.#messages = stored.messages.map(restoreMessage);
  }

  get title(): string {
    return this.#title;
  }

  get model(): string {
    return this.#model;
  }

  set model(reference: string) {
    this.#model = reference;
  }

  get updatedMs(): number {
    return this.#updatedMs;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get settings(): ConversationSettings {
    return this.#settings;
  }

  /** The figures of the last answer that ended with any. */
  get lastStats(): AnswerStats | undefined {
    const answers = this.#messages.flatMap((message) =>
      message.role === 'assistant' ? (message.answer ?? []) : [],
    );
    return answers.findLast(({ stats }) => stats.promptTokens !== undefined)?.stats;
  }

  configure(changes: Partial<ConversationSettings>): void {
    this.#settings = { ...this.#settings, ...changes };
  }

  /** The time the list is sorted by, and by which tabs know whose copy is newer. */
  touch(nowMs: number): void {
    this.#updatedMs = nowMs;
  }

  addQuestion(text: string, nowMs: number): void {
    if (this.#messages.length === 0) this.#title = cut(text);
    this.#messages = [...this.#messages, { role: 'user', id: crypto.randomUUID(), text }];
    this.#updatedMs = nowMs;
  }

  /** A new answer to the last question: the first one, or another version of it. */
  beginAnswer(nowMs: number): Answer {
    const answer = Answer.begin(this.#model, nowMs);
    const last = this.#messages.at(-1);
    if (last?.role === 'assistant') last.add(answer);
    else this.#messages = [...this.#messages, new AssistantMessage(crypto.randomUUID(), [answer], 0)];
    this.#updatedMs = nowMs;
    return answer;
  }

  /** What the model gets to read: everything before the last answer, thoughts left out. */
  prompt(): ChatMessage[] {
    const { systemPrompt } = this.#settings;
    const system: ChatMessage[] = systemPrompt.trim() ? [{ role: 'system', content: systemPrompt }] : [];
    const told = this.#messages.slice(0, this.#messages.at(-1)?.role === 'assistant' ? -1 : undefined);
    return [...system, ...told.flatMap(toChatMessage)];
  }

  /** Whether one of its answers came of this request. */
  answers(requestId: string): boolean {
    return this.#messages.some((message) => message.role === 'assistant' && message.answers(requestId));
  }

  matches(query: string): boolean {
    const words = query.trim().toLowerCase();
    if (words === '' || this.#title.toLowerCase().includes(words)) return true;
    return this.#messages.some((message) => textOf(message).toLowerCase().includes(words));
  }

  toStored(): StoredConversation {
    return {
      id: this.id,
      title: this.#title,
      model: this.#model,
      updatedMs: this.#updatedMs,
      settings: { ...this.#settings },
      messages: this.#messages.map((message) =>
        message.role === 'user' ? { ...message } : message.toStored(),
      ),
    };
  }
}

function restoreMessage(stored: StoredMessage): Message {
  if (stored.role === 'user') return stored;
  return new AssistantMessage(
    stored.id,
    stored.versions.map((version) => Answer.restore(version)),
    stored.shown,
  );
}

function toChatMessage(message: Message): ChatMessage[] {
  const text = textOf(message);
  return text === '' ? [] : [{ role: message.role, content: text }];
}

function textOf(message: Message): string {
  return message.role === 'user' ? message.text : (message.answer?.text ?? '');
}

function cut(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length <= titleLength ? line : `${line.slice(0, titleLength - 1).trimEnd()}…`;
}
