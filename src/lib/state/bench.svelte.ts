/** The benchmark of one model: the run under way, and the results of earlier ones. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type {
  BenchHistoryJson,
  BenchLineJson,
  BenchRequestJson,
  BenchResultJson,
  BenchStage,
} from '#lib/model/wire-bench.ts';
import { Gate } from './bench-gate.svelte.ts';
import { post, send, type Client } from './client.ts';
import { jsonLines } from './ndjson.ts';
import { saveFile } from './save-file.ts';

export type BenchRun =
  | { readonly status: 'idle' }
  | { readonly status: 'running'; readonly stage: BenchStage; readonly percent: number }
  | { readonly status: 'failed'; readonly error: ApiError };

export interface BenchOptions {
  readonly client: Client;
  readonly reference: string;
  /** Results are of the model, whatever its name was at the time. */
  readonly modelId: string;
}

const path = '/_sampan/bench';

export class Bench {
  /** Whether what is fast is right as well. */
  readonly gate: Gate;
  readonly #client: Client;
  readonly #reference: string;
  readonly #query: string;
  #run = $state.raw<BenchRun>({ status: 'idle' });
  #results = $state.raw<readonly BenchResultJson[]>();
  #cancel = new AbortController();

  constructor({ client, reference, modelId }: BenchOptions) {
    this.gate = new Gate({ client, reference, modelId });
    this.#client = client;
    this.#reference = reference;
    this.#query = `?model=${encodeURIComponent(modelId)}`;
  }

  get run(): BenchRun {
    return this.#run;
  }

  /** Newest first; `undefined` until they are read. */
  get results(): readonly BenchResultJson[] | undefined {
    return this.#results;
  }

  /** Reads the results. Never rejects: a failure is the state of the run. */
  load(): Promise<void> {
    return this.#report(async () => {
      const response = await send(this.#client, `${path}${this.#query}`);
      // The boundary: the runner is this same build, so the path settles the shape.
      this.#results = ((await response.json()) as BenchHistoryJson).results;
    });
  }

  /** Measures, and adds what it finds to the results. Never rejects. */
  async start(): Promise<void> {
    if (this.#run.status === 'running') return;
    this.#run = { status: 'running', stage: 'loading', percent: 0 };
    const cancel = new AbortController();
    this.#cancel = cancel;
    await this.#report(async () => {
      const asked: BenchRequestJson = { model: this.#reference };
      const response = await send(this.#client, path, { ...post(asked), signal: cancel.signal });
      for await (const line of jsonLines<BenchLineJson>(response)) if (this.#take(line)) return;
      throw new ApiError('host_lost', 'The benchmark stopped before its end. Run it again.');
    });
  }

  /** Ends the run; it leaves no result. */
  cancel(): void {
    this.#cancel.abort();
  }

  remove({ id }: BenchResultJson): Promise<void> {
    return this.#report(async () => {
      await send(this.#client, `${path}/${id}`, { method: 'DELETE' });
      this.#results = this.#results?.filter((each) => each.id !== id);
    });
  }

  /** The results of this model as a file. */
  download(format: 'csv' | 'json'): Promise<void> {
    return this.#report(async () => {
      const response = await send(this.#client, `${path}${this.#query}&format=${format}`);
      saveFile(`sampan-bench.${format}`, await response.text());
    });
  }

  /** Returns whether it was the last line. */
  #take(line: BenchLineJson): boolean {
    if (line.type === 'error') throw new ApiError(line.error.code, line.error.message);
    if (line.type === 'done') {
      this.#results = [line.result, ...(this.#results ?? [])];
      this.#run = { status: 'idle' };
      return true;
    }
    const { stage, done, total } = line;
    this.#run = { status: 'running', stage, percent: (done / total) * 100 };
    return false;
  }

  async #report(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      const error = toApiError(thrown);
      this.#run = error.code === 'aborted' ? { status: 'idle' } : { status: 'failed', error };
    }
  }
}
