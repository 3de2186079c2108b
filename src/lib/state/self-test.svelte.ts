/** The check of this device: what the browser can compute with, and whether the engines compute correctly on it. */
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import type {
  EngineTestJson,
  ProbeJson,
  SelfTestJson,
  SelfTestLine,
  SelfTestStateJson,
} from '#lib/model/wire-self-test.ts';
import { send, type Client } from './client.ts';
import { jsonLines } from './ndjson.ts';

const path = '/_sampan/self-test';

export type SelfTestState =
  | { readonly status: 'loading' }
  | { readonly status: 'idle'; readonly last: SelfTestJson | undefined }
  | { readonly status: 'running'; readonly step: string; readonly results: readonly EngineTestJson[] }
  | { readonly status: 'failed'; readonly error: ApiError };

const stepWords = { loading: 'loads the built-in model', answering: 'answers three questions' } as const;

export class SelfTest {
  readonly #client: Client;
  #probe = $state.raw<ProbeJson>();
  #state = $state.raw<SelfTestState>({ status: 'loading' });
  #abort = new AbortController();

  constructor({ client }: { client: Client }) {
    this.#client = client;
  }

  get probe(): ProbeJson | undefined {
    return this.#probe;
  }

  get state(): SelfTestState {
    return this.#state;
  }

  /** To share when something goes wrong: JSON, without a word about the person. */
  get report(): string {
    const last = this.#state.status === 'idle' ? this.#state.last : undefined;
    return JSON.stringify({ probe: this.#probe, self_test: last }, undefined, 2);
  }

  /** A test that runs goes on. */
  async load(): Promise<void> {
    if (this.#state.status === 'running') return;
    try {
      const response = await send(this.#client, path);
      // The boundary: the runner is this same build.
      const { probe, last } = (await response.json()) as SelfTestStateJson;
      this.#probe = probe;
      this.#state = { status: 'idle', last: last ?? undefined };
    } catch (thrown) {
      this.#state = { status: 'failed', error: toApiError(thrown) };
    }
  }

  async run(): Promise<void> {
    if (this.#state.status === 'running') return;
    this.#abort = new AbortController();
    const results: EngineTestJson[] = [];
    this.#state = { status: 'running', step: 'Starting', results };
    try {
      const response = await send(this.#client, path, { method: 'POST', signal: this.#abort.signal });
      let last: SelfTestLine | undefined;
      for await (const line of jsonLines<SelfTestLine>(response)) this.#take((last = line), results);
      if (last?.type !== 'done') await this.#settle();
    } catch (thrown) {
      const error = toApiError(thrown);
      if (error.code === 'aborted') await this.#settle();
      else this.#state = { status: 'failed', error };
    }
  }

  cancel(): void {
    this.#abort.abort();
  }

  #take(line: SelfTestLine, results: EngineTestJson[]): void {
    if (line.type === 'step') {
      this.#state = {
        status: 'running',
        step: `${line.engine} ${stepWords[line.step]}`,
        results: [...results],
      };
    }
    if (line.type === 'engine') results.push(line.result);
    if (line.type === 'done') this.#state = { status: 'idle', last: line.result };
  }

  /** Cancelled, or cut off: what was known before holds. */
  async #settle(): Promise<void> {
    this.#state = { status: 'loading' };
    await this.load();
  }
}
