/** All conversations: asked, answered, stopped, and kept as they go. */
import { SvelteMap } from 'svelte/reactivity';
import type { Clock } from '#lib/core/clock.ts';
import type { ChatRequest } from '#lib/openai/chat.ts';
import type { Answer } from './answer.svelte.ts';
import { streamChat } from './chat-stream.ts';
import type { Client } from './client.ts';
import type { ConversationStore } from './conversation-store.ts';
import { Delays } from './delays.ts';
import { Conversation } from './conversation.svelte.ts';
import { oncePerFrame, type Frames } from './frames.ts';
import type { Models } from './models.svelte.ts';
import type { StoredConversation } from './stored.ts';

interface ChatOptions {
  readonly client: Client;
  readonly store: ConversationStore;
  readonly models: Models;
  readonly clock: Clock;
  readonly frames: Frames;
  /** For what goes wrong where nobody waits for it: saving. */
  readonly onError: (thrown: unknown) => void;
}

const saveEveryMs = 500;

interface Run {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #conversations = new SvelteMap<string, Conversation>();
  readonly #running = new SvelteMap<string, Run>();
  readonly #saves: Delays<string>;
  #loaded = $state(false);
  /** The conversation that begins with the next question; it is kept once it has one. */
  #draft = $state.raw(new Conversation(crypto.randomUUID()));
  readonly #list = $derived([...this.#conversations.values()].sort((a, b) => b.updatedMs - a.updatedMs));

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#saves = new Delays(options.clock);
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Newest first. */
  get list(): readonly Conversation[] {
    return this.#list;
  }

  get draft(): Conversation {
    return this.#draft;
  }

  find(id: string): Conversation | undefined {
    return this.#conversations.get(id);
  }

  /** The conversation that an answer of this request stands in. */
  findByRequest(requestId: string): Conversation | undefined {
    return [...this.#conversations.values()].find((conversation) => conversation.answers(requestId));
  }

  isAnswering(conversation: Conversation): boolean {
    return this.#running.has(conversation.id);
  }

  /** Reads what is kept; called again, takes over what other tabs wrote in the meantime. */
  async load(): Promise<void> {
    try {
      this.#adopt(await this.#options.store.list());
    } catch (thrown) {
      this.#options.onError(thrown);
    }
    this.#loaded = true;
  }

  /** Asks with `model` and answers; resolves when the answer has ended, well or not. */
  async ask(conversation: Conversation, text: string, model: string): Promise<void> {
    if (this.isAnswering(conversation) || text.trim() === '') return;
    conversation.model = model;
    conversation.addQuestion(text, this.#options.clock.now());
    this.#keep(conversation);
    await this.#run(conversation);
  }

  /** Another version of the last answer. */
  async regenerate(conversation: Conversation, model: string): Promise<void> {
    if (this.isAnswering(conversation) || conversation.messages.length === 0) return;
    conversation.model = model;
    await this.#run(conversation);
  }

  stop(conversation: Conversation): void {
    this.#running.get(conversation.id)?.controller.abort();
  }

  async remove(conversation: Conversation): Promise<void> {
    const run = this.#running.get(conversation.id);
    run?.controller.abort();
    await run?.ended;
    this.#saves.cancel(conversation.id);
    this.#conversations.delete(conversation.id);
    await this.#options.store.remove(conversation.id);
  }

  /** Saves within half a second; many changes in that time are one write. */
  changed(conversation: Conversation): void {
    const { id } = conversation;
    if (!this.#conversations.has(id) || this.#saves.has(id)) return;
    this.#saves.set(id, saveEveryMs, () => void this.#save(conversation));
  }

  /** For a page that is about to go: writes what is waiting to be written. */
  saveNow(): void {
    for (const id of [...this.#saves.keys, ...this.#running.keys()]) {
      const conversation = this.#conversations.get(id);
      if (conversation) void this.#save(conversation);
    }
  }

  /** Resolves when no answer is being written. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((run) => run.ended));
  }

  #adopt(kept: readonly StoredConversation[]): void {
    for (const id of this.#conversations.keys()) {
      const isKept = kept.some((stored) => stored.id === id);
      if (!isKept && !this.#isBusy(id)) this.#conversations.delete(id);
    }
    for (const stored of kept) {
      const ours = this.#conversations.get(stored.id);
      if (ours && (this.#isBusy(stored.id) || ours.updatedMs >= stored.updatedMs)) continue;
      this.#conversations.set(stored.id, new Conversation(stored.id, stored));
    }
  }

  #isBusy(id: string): boolean {
    return this.#running.has(id) || this.#saves.has(id);
  }

  #keep(conversation: Conversation): void {
    this.#conversations.set(conversation.id, conversation);
    if (conversation === this.#draft) this.#draft = new Conversation(crypto.randomUUID());
  }

  async #run(conversation: Conversation): Promise<void> {
    const controller = new AbortController();
    const answer = conversation.beginAnswer(this.#options.clock.now());
    const ended = this.#write(conversation, answer, controller.signal);
    this.#running.set(conversation.id, { controller, ended });
    await ended;
    conversation.touch(this.#options.clock.now());
    this.#running.delete(conversation.id);
    await this.#save(conversation);
  }

  /** Never rejects: how it ended is the answer's state. */
  async #write(conversation: Conversation, answer: Answer, signal: AbortSignal): Promise<void> {
    const { client, clock, frames, models } = this.#options;
    const show = oncePerFrame(frames, () => {
      answer.flush();
      this.changed(conversation);
    });
    const runner = models.find(answer.model)?.runner;
    if (!runner || runner.loading) answer.noteLoading();
    await this.#save(conversation);
    try {
      const note = (requestId: string) => answer.noteRequest(requestId);
      for await (const chunk of streamChat(client, requestOf(conversation), signal, note)) {
        answer.receive(chunk, clock.now());
        show();
      }
      answer.end();
    } catch (thrown) {
      answer.endWith(signal.aborted ? signal.reason : thrown);
    }
  }

  async #save(conversation: Conversation): Promise<void> {
    this.#saves.cancel(conversation.id);
    if (!this.#conversations.has(conversation.id)) return;
    try {
      await this.#options.store.put(conversation.toStored());
    } catch (thrown) {
      this.#options.onError(thrown);
    }
  }
}

function requestOf(conversation: Conversation): ChatRequest {
  const { temperature, maxTokens } = conversation.settings;
  return {
    model: conversation.model,
    messages: conversation.prompt(),
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
  };
}
