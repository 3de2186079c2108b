/** Which pages of other origins may use the models here: listed, allowed, blocked, and taken back. */
import type { GrantJson, GrantWish } from '#lib/model/wire-access.ts';
import type { App } from './app.svelte.ts';
import { post, send, type Client } from './client.ts';
import { Resource, type ResourceState } from './settings-page-resource.svelte.ts';

const path = '/_sampan/grants';
const undoMs = 10_000;

interface GrantsOptions {
  readonly client: Client;
  readonly toasts: Pick<App['toasts'], 'offerFor' | 'report'>;
}

export class Grants {
  readonly #options: GrantsOptions;
  readonly #list: Resource<readonly GrantJson[]>;

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#list = new Resource(() => this.#read());
  }

  get state(): ResourceState<readonly GrantJson[]> {
    return this.#list.state;
  }

  load(): Promise<void> {
    return this.#list.load();
  }

  /** Rejects with what is wrong with the origin, in words for its field. */
  async keep(wish: GrantWish): Promise<void> {
    await send(this.#options.client, path, { ...post(wish), method: 'PUT' });
    await this.load();
  }

  /** At once, so that no request slips through; for some seconds a toast offers the way back. */
  async revoke({ origin, decision, models }: GrantJson): Promise<void> {
    const { client, toasts } = this.#options;
    await send(client, `${path}?origin=${encodeURIComponent(origin)}`, { method: 'DELETE' });
    await this.load();
    const said =
      decision === 'always' ? `${origin} is not allowed any more.` : `${origin} is not blocked any more.`;
    const undo = () => void toasts.report(this.keep({ origin, decision, models }));
    toasts.offerFor(undoMs, said, { label: 'Undo', run: undo });
  }

  /** The boundary: the runner is this same build. */
  async #read(): Promise<readonly GrantJson[]> {
    const response = await send(this.#options.client, path);
    return (await response.json()) as readonly GrantJson[];
  }
}
