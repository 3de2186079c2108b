/** A page's composition root: builds every state class from what the browser offers, and hands them down. */
import { createContext } from 'svelte';
import type { ApiError } from '#lib/core/errors.ts';
import type { Clock } from '#lib/core/clock.ts';
import { Catalog } from './catalog.svelte.ts';
import { Chat } from './chat.svelte.ts';
import type { Client } from './client.ts';
import type { ConversationStore } from './conversation-store.ts';
import { LiveFeed } from './feed.svelte.ts';
import type { Frames } from './frames.ts';
import { EngineHost, type HostPort } from './host.svelte.ts';
import { Models } from './models.svelte.ts';
import { Now } from './now.ts';
import { Pulls } from './pulls.svelte.ts';
import { RunnerSettings } from './runner-settings.svelte.ts';
import { SelfTest } from './self-test.svelte.ts';
import { onErased } from './settings-page-erase.ts';
import { Tasks, type Task } from './tasks.svelte.ts';
import { Theme } from './theme.svelte.ts';
import { Toasts } from './toasts.svelte.ts';

export interface AppOptions {
  readonly client: Client;
  readonly host: HostPort;
  readonly clock: Clock;
  readonly frames: Frames;
  readonly conversations: ConversationStore;
  /** Fetches files of the app itself. */
  readonly fetch: (path: string) => Promise<Response>;
  readonly appHost: string;
  readonly themeStorage: Storage;
  readonly root: HTMLElement;
  /** Asks the browser not to evict what is stored; resolves with whether it agreed. */
  readonly persistStorage: () => Promise<boolean>;
}

export class App {
  readonly client: Client;
  readonly host: EngineHost;
  readonly feed: LiveFeed;
  readonly catalog: Catalog;
  readonly models: Models;
  readonly pulls: Pulls;
  readonly settings: RunnerSettings;
  readonly selfTest: SelfTest;
  readonly tasks: Tasks;
  readonly chat: Chat;
  readonly toasts: Toasts;
  readonly theme: Theme;
  readonly now: Now;
  readonly #persistStorage: AppOptions['persistStorage'];
  #persistenceAsked = false;
  #deviceOpen = $state(false);

  constructor(options: AppOptions) {
    const { client, clock, frames } = options;
    this.client = client;
    this.host = new EngineHost(options.host);
    this.toasts = new Toasts({ clock });
    this.theme = new Theme({ storage: options.themeStorage, root: options.root });
    this.now = new Now({ clock });
    this.feed = new LiveFeed({ client, clock, onLost: (error) => this.#onFeedLost(error) });
    this.#persistStorage = options.persistStorage;
    this.catalog = new Catalog({ fetch: options.fetch, appHost: options.appHost });
    this.models = new Models({ client, feed: this.feed, catalog: this.catalog });
    this.pulls = new Pulls({ client, feed: this.feed });
    this.settings = new RunnerSettings({ client });
    this.selfTest = new SelfTest({ client });
    this.tasks = new Tasks({ onEnd: (task) => this.#onTaskEnd(task) });
    this.chat = new Chat({
      client,
      clock,
      frames,
      models: this.models,
      store: options.conversations,
      onError: (thrown) => this.toasts.fail(thrown),
    });
  }

  /** Begins to follow the runner; returns how to stop. */
  start(): () => void {
    void this.catalog.load();
    void this.chat.load();
    const stopFeed = this.feed.start();
    const stopListening = onErased(() => void this.#startAnew());
    return () => {
      stopFeed();
      stopListening();
    };
  }

  /** Whether the check of this device is shown; any page may open it. */
  get deviceOpen(): boolean {
    return this.#deviceOpen;
  }

  showDevice(): void {
    this.#deviceOpen = true;
    void this.selfTest.load();
  }

  hideDevice(): void {
    this.#deviceOpen = false;
  }

  /** After the first pull: asked earlier, a browser has no reason to agree. */
  async keepStorage(): Promise<void> {
    if (this.#persistenceAsked || this.feed.status?.storage.persisted) return;
    await this.askToKeepStorage();
  }

  /** Resolves with whether the browser agreed. */
  askToKeepStorage(): Promise<boolean> {
    this.#persistenceAsked = true;
    return this.#persistStorage();
  }

  /** Those that are being answered too: none is written again when this page goes away. */
  async forgetConversations(): Promise<void> {
    await Promise.all(this.chat.list.map((conversation) => this.chat.remove(conversation)));
  }

  /** A new build waits: offers the restart, and applies it when no answer is being written. */
  updateReady(apply: () => void): void {
    this.toasts.offer('New version ready. Applied when no answer is running.', {
      label: 'Restart',
      run: () => void this.chat.idle().then(apply),
    });
  }

  /** Everything was deleted, here or in another tab: what this page still shows is not there any more. */
  async #startAnew(): Promise<void> {
    await this.forgetConversations();
    location.reload();
  }

  #onTaskEnd({ state }: Task): void {
    if (state.status === 'done') this.toasts.say(state.text);
    if (state.status === 'failed') this.toasts.fail(state.error);
  }

  /** A frozen tab keeps its locks; one that a person looks at may take the engine from it. */
  #onFeedLost(error: ApiError): void {
    if (error.code === 'host_stalled') void this.host.takeOver();
  }
}

export const [getApp, setApp] = createContext<App>();
