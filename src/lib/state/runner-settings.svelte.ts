/** How the runner works, as far as a person can set it: asked for when it is first shown. */
import type { SettingsJson } from '#lib/model/wire.ts';
import { post, send, type Client } from './client.ts';

const path = '/_sampan/settings';

export const mostParallelPulls = 8;

export interface ChangedSettings {
  readonly settings: SettingsJson;
  /** What a person should know of the change: that it holds for later loads only, say. */
  readonly note: string | undefined;
}

export class RunnerSettings {
  readonly #client: Client;
  #current = $state.raw<SettingsJson>();

  constructor({ client }: { client: Client }) {
    this.#client = client;
  }

  /** `undefined` until it was loaded. */
  get current(): SettingsJson | undefined {
    return this.#current;
  }

  async load(): Promise<SettingsJson> {
    const { settings } = await this.#take(await send(this.#client, path));
    return settings;
  }

  /** What is left out stays as it is. Rejects with why it was not taken; then the old ones hold. */
  async change(settings: Partial<SettingsJson>): Promise<ChangedSettings> {
    return this.#take(await send(this.#client, path, { ...post(settings), method: 'PUT' }));
  }

  /** The boundary: the runner is this same build. */
  async #take(response: Response): Promise<ChangedSettings> {
    const { note, ...settings } = (await response.json()) as SettingsJson & { readonly note?: string };
    this.#current = settings;
    return { settings, note };
  }
}
