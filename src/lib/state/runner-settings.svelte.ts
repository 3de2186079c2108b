/** How the runner works, as far as a person can set it: asked for when it is first shown. */
import type { SettingsJson } from '#lib/model/wire.ts';
import { send, type Client } from './client.ts';

const path = '/_sampan/settings';

export const mostParallelPulls = 8;

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

  async load(): Promise<void> {
    this.#current = await read(await send(this.#client, path));
  }

  /** Keeps what else is set. */
  async change(settings: Partial<SettingsJson>): Promise<void> {
    const wanted = { ...this.#current, ...settings };
    const response = await send(this.#client, path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wanted),
    });
    this.#current = await read(response);
  }
}

/** The boundary: the runner is this same build. */
async function read(response: Response): Promise<SettingsJson> {
  return (await response.json()) as SettingsJson;
}
