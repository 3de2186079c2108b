/** What a person does with requests: the verbs behind the buttons of their page, each with a visible end. */
import { systemClock } from '#lib/core/clock.ts';
import { errorFromBody, toApiError, type ApiError } from '#lib/core/errors.ts';
import type { RequestImportJson, RequestJson, RequestSettingsJson } from '#lib/model/wire-requests.ts';
import type { App } from './app.svelte.ts';
import { parseJson, post, send, type Client } from './client.ts';
import { browserFrames } from './frames.ts';
import { asCurl, asJavaScript, asPython } from './request-calls.ts';
import { RequestList } from './request-list.svelte.ts';
import { filterOf, type RequestQuery } from './request-query.ts';

export type RequestDialog =
  { readonly kind: 'clear' | 'settings' } | { readonly kind: 'edit'; readonly request: RequestJson };

export type SettingsState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly value: RequestSettingsJson }
  | { readonly status: 'failed'; readonly error: ApiError };

export interface RequestDeskOptions {
  readonly client: Client;
  readonly toasts: Pick<App['toasts'], 'say' | 'fail' | 'report'>;
  readonly list: RequestList;
  readonly clipboard: Pick<Clipboard, 'writeText'>;
  /** Of the API, for copied calls. */
  readonly origin: string;
}

/** With what the browser offers. */
export function openRequests({ client, toasts }: Pick<App, 'client' | 'toasts'>): RequestDesk {
  const list = new RequestList({ client, clock: systemClock, frames: browserFrames });
  return new RequestDesk({
    client,
    toasts,
    list,
    clipboard: navigator.clipboard,
    origin: location.origin,
  });
}

const path = '/_sampan/requests';
const callFormats = { curl: asCurl, python: asPython, javascript: asJavaScript } as const;
export type CallFormat = keyof typeof callFormats;

export class RequestDesk {
  readonly list: RequestList;
  readonly #options: RequestDeskOptions;
  #dialog = $state.raw<RequestDialog>();
  #settings = $state.raw<SettingsState>({ status: 'loading' });

  constructor(options: RequestDeskOptions) {
    this.#options = options;
    this.list = options.list;
  }

  get client(): Client {
    return this.#options.client;
  }

  get dialog(): RequestDialog | undefined {
    return this.#dialog;
  }

  get settings(): SettingsState {
    return this.#settings;
  }

  show(dialog: RequestDialog): void {
    this.#dialog = dialog;
    if (dialog.kind === 'settings' && this.#settings.status === 'failed') void this.loadSettings();
  }

  close(): void {
    this.#dialog = undefined;
  }

  copy(text: string, said: string): void {
    void this.#options.toasts.report(this.#copy(text, said));
  }

  copyCall(request: RequestJson, format: CallFormat): void {
    this.copy(callFormats[format](request, this.#options.origin), 'Copied.');
  }

  /** Of a request that is not open. Rejects when it cannot be read or copied. */
  async copyCurlOf(id: string): Promise<void> {
    const response = await send(this.client, `${path}/${encodeURIComponent(id)}`);
    const request = (await response.json()) as RequestJson;
    await this.#copy(asCurl(request, this.#options.origin), 'Copied.');
  }

  /**
   * Sends it again, as it was or with another body. Resolves with the id of the new record as soon as the answer
   * begins; the answer is read to its end, because who stops reading cancels. Rejects when nothing was recorded.
   */
  async replay(id: string, body?: object): Promise<string> {
    const response = await this.#send(`${path}/${encodeURIComponent(id)}/replay`, body);
    const recorded = response.headers.get('x-request-id');
    if (recorded === null) throw errorFromBody(parseJson(await response.text()), response.status);
    void drain(response);
    return recorded;
  }

  /** What matches, or everything. */
  async clear(query: RequestQuery): Promise<void> {
    const response = await send(this.client, `${path}?${filterOf(query, systemClock.now())}`, {
      method: 'DELETE',
    });
    const { removed } = (await response.json()) as { readonly removed: number };
    this.#options.toasts.say(
      removed === 1 ? '1 request is cleared.' : `${removed.toLocaleString('en')} requests are cleared.`,
    );
  }

  import(file: Blob): void {
    void this.#options.toasts.report(this.#import(file));
  }

  async loadSettings(): Promise<void> {
    try {
      const response = await send(this.client, `${path}/settings`);
      this.#settings = { status: 'ready', value: (await response.json()) as RequestSettingsJson };
    } catch (thrown) {
      this.#settings = { status: 'failed', error: toApiError(thrown) };
    }
  }

  /** Rejects with why they were not taken; then the old ones hold. */
  async saveSettings(changes: Partial<RequestSettingsJson>): Promise<void> {
    const response = await send(this.client, `${path}/settings`, {
      ...post(changes),
      method: 'PUT',
    });
    this.#settings = { status: 'ready', value: (await response.json()) as RequestSettingsJson };
  }

  /** The address of a download. */
  exportHref(query: RequestQuery, format: 'jsonl' | 'har'): string {
    const parameters = filterOf(query, systemClock.now());
    parameters.set('format', format);
    return `${path}/export?${parameters}`;
  }

  async #send(to: string, body: object | undefined): Promise<Response> {
    try {
      return await this.client.fetch(to, post(body));
    } catch (thrown) {
      throw toApiError(thrown);
    }
  }

  async #copy(text: string, said: string): Promise<void> {
    await this.#options.clipboard.writeText(text);
    this.#options.toasts.say(said);
  }

  async #import(file: Blob): Promise<void> {
    const response = await send(this.client, `${path}/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: file,
    });
    this.#options.toasts.say(importWords((await response.json()) as RequestImportJson));
  }
}

/** "12 requests imported, 3 were here already, 1 line could not be read." */
function importWords({ imported, known, refused }: RequestImportJson): string {
  const words = [`${imported === 1 ? '1 request' : `${imported} requests`} imported`];
  if (known > 0) words.push(`${known} ${known === 1 ? 'was' : 'were'} here already`);
  if (refused > 0) words.push(`${refused} ${refused === 1 ? 'line' : 'lines'} could not be read`);
  return `${words.join(', ')}.`;
}

/** The record tells how the answer ended, so nobody else needs to. */
async function drain({ body }: Response): Promise<void> {
  try {
    await body?.pipeTo(new WritableStream());
  } catch {
    // Ended in the middle, as the record says.
  }
}
