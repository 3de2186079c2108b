/** Where conversations are kept: a database of this browser, away from the models'. */
import { createStore, del, promisifyRequest, values } from 'idb-keyval';
import { parseStored, type StoredConversation } from './stored.ts';

export interface ConversationStore {
  list(): Promise<readonly StoredConversation[]>;
  /** Resolves after the conversation is durable; replaces the one with the same id. */
  put(conversation: StoredConversation): Promise<void>;
  remove(id: string): Promise<void>;
}

export class IdbConversationStore implements ConversationStore {
  readonly #store;

  constructor(databaseName = 'sampan-chat') {
    this.#store = createStore(databaseName, 'conversations');
  }

  async list(): Promise<readonly StoredConversation[]> {
    const found: unknown[] = await values(this.#store);
    return found.map(parseStored).filter((conversation) => conversation !== undefined);
  }

  put(conversation: StoredConversation): Promise<void> {
    return this.#store('readwrite', (store) => {
      store.put(conversation, conversation.id);
      // A page that is going away never sees the request succeed, and what commits by itself would be undone.
      store.transaction.commit();
      return promisifyRequest(store.transaction);
    });
  }

  remove(id: string): Promise<void> {
    return del(id, this.#store);
  }
}

/** The twin for tests. */
export class MemoryConversationStore implements ConversationStore {
  readonly #kept = new Map<string, StoredConversation>();

  constructor(conversations: readonly StoredConversation[] = []) {
    for (const conversation of conversations) this.#kept.set(conversation.id, conversation);
  }

  list(): Promise<readonly StoredConversation[]> {
    return Promise.resolve([...this.#kept.values()]);
  }

  put(conversation: StoredConversation): Promise<void> {
    this.#kept.set(conversation.id, structuredClone(conversation));
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    this.#kept.delete(id);
    return Promise.resolve();
  }
}
