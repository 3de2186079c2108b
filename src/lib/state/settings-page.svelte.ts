/** What the Settings page shows and does: each setting where it is kept, each change saved at once with a visible end. */
import type { RequestPageJson, RequestsKeptJson, RequestSettingsJson } from '#lib/model/wire-requests.ts';
import type { SettingsJson } from '#lib/model/wire.ts';
import type { App } from './app.svelte.ts';
import { post, send, type Client } from './client.ts';
import { Grants } from './grants.svelte.ts';
import type { RunnerSettings } from './runner-settings.svelte.ts';
import { browserErase, eraseEverything } from './settings-page-erase.ts';
import { Resource } from './settings-page-resource.svelte.ts';
import { Saves } from './settings-page-saves.svelte.ts';

/** By engine, as `/engines/status` tells it. */
export type EngineVersions = Readonly<Record<string, string>>;

export interface SettingsPageOptions {
  readonly client: Client;
  readonly runner: RunnerSettings;
  readonly toasts: Pick<App['toasts'], 'say' | 'fail' | 'report' | 'offerFor'>;
  readonly clipboard: Pick<Clipboard, 'writeText'>;
  /** Of this page, and so of the API. */
  readonly origin: string;
  /** Asks the browser not to evict what is stored; resolves with whether it agreed. */
  readonly persistStorage: () => Promise<boolean>;
  /** Resolves when nothing is left and every tab was told, which then loads its page anew. */
  readonly erase: () => Promise<void>;
}

const requestsPath = '/_sampan/requests';
const recordingPath = `${requestsPath}/settings`;

/** With what the browser offers. */
export function openSettings(app: App): SettingsPage {
  return new SettingsPage({
    client: app.client,
    runner: app.settings,
    toasts: app.toasts,
    clipboard: navigator.clipboard,
    origin: location.origin,
    persistStorage: () => app.askToKeepStorage(),
    erase: async () => {
      await app.forgetConversations();
      await eraseEverything(browserErase());
    },
  });
}

export class SettingsPage {
  readonly saves = new Saves();
  readonly grants: Grants;
  readonly recording: Resource<RequestSettingsJson>;
  readonly kept: Resource<RequestsKeptJson>;
  readonly engines: Resource<EngineVersions>;
  readonly runner: Resource<SettingsJson>;
  readonly #options: SettingsPageOptions;
  #granted = $state(false);

  constructor(options: SettingsPageOptions) {
    const { client, toasts, runner } = options;
    this.#options = options;
    this.grants = new Grants({ client, toasts });
    this.recording = new Resource(async () => (await read(client, recordingPath)) as RequestSettingsJson);
    this.kept = new Resource(async () => {
      const page = (await read(client, `${requestsPath}?limit=1`)) as RequestPageJson;
      return page.kept;
    });
    this.engines = new Resource(async () => (await read(client, '/engines/status')) as EngineVersions);
    this.runner = new Resource(() => runner.load());
  }

  /** For programs that speak OpenAI's API. */
  get baseUrl(): string {
    return `${this.#options.origin}/engines/v1`;
  }

  /** The browser agreed while this page was open: sooner known than the runner tells it. */
  get granted(): boolean {
    return this.#granted;
  }

  /** Never rejects: each part says for itself why it is not there. */
  async load(): Promise<void> {
    const parts = [this.runner, this.recording, this.kept, this.engines, this.grants];
    await Promise.all(parts.map((part) => part.load()));
  }

  /** Resolves with whether it was taken. */
  change(settings: Partial<SettingsJson>): Promise<boolean> {
    const [key = 'settings'] = Object.keys(settings);
    return this.saves.run(key, async () => {
      const { settings: inForce, note } = await this.#options.runner.change(settings);
      this.runner.set(inForce);
      if (note !== undefined) this.#options.toasts.say(note);
    });
  }

  changeRecording(settings: Partial<RequestSettingsJson>): Promise<boolean> {
    const [key = 'recording'] = Object.keys(settings);
    return this.saves.run(key, async () => {
      const init = { ...post(settings), method: 'PUT' };
      const inForce = (await read(this.#options.client, recordingPath, init)) as RequestSettingsJson;
      this.recording.set(inForce);
      await this.kept.load();
    });
  }

  /** Rejects with why they could not be cleared. */
  async clearRequests(): Promise<void> {
    await send(this.#options.client, requestsPath, { method: 'DELETE' });
    await this.kept.load();
    this.#options.toasts.say('Every recorded request is cleared.');
  }

  async keepStorage(): Promise<void> {
    this.#granted = await this.#options.persistStorage();
    if (this.#granted) return;
    this.saves.refuse(
      'persisted',
      'The browser declined. It agrees sooner once Sampan is installed, bookmarked or used more often.',
    );
  }

  copyBaseUrl(): void {
    void this.#options.toasts.report(this.#copy(this.baseUrl));
  }

  /** Rejects with why not everything could be deleted. */
  erase(): Promise<void> {
    return this.#options.erase();
  }

  async #copy(text: string): Promise<void> {
    await this.#options.clipboard.writeText(text);
    this.#options.toasts.say('The base URL is on the clipboard.');
  }
}

/** The boundary is where its result is named: the runner is this same build. */
async function read(client: Client, path: string, init?: RequestInit): Promise<unknown> {
  return (await send(client, path, init)).json();
}
