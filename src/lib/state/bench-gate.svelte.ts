/** The check of one model's correctness: the one under way, and what the last ones found. */
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type {
  GateHistoryJson,
  GateLineJson,
  GateRequestJson,
  GateResultJson,
  GateStage,
} from '#lib/model/wire-gate.ts';
import { post, send, type Client } from './client.ts';
import { jsonLines } from './ndjson.ts';

export type GateRun =
  | { readonly status: 'idle' }
  | { readonly status: 'running'; readonly stage: GateStage; readonly percent: number }
  | { readonly status: 'failed'; readonly error: ApiError };

interface GateOptions {
  readonly client: Client;
  readonly reference: string;
  /** Results are of the model, whatever its name was at the time. */
  readonly modelId: string;
}

const path = '/_sampan/gate';

export class Gate {
  readonly #client: Client;
  readonly #reference: string;
  readonly #query: string;
  #run = $state.raw<GateRun>({ status: 'idle' });
  #results = $state.raw<readonly GateResultJson[]>([]);
  #cancel = new AbortController();

  constructor({ client, reference, modelId }: GateOptions) {
    this.#client = client;
    this.#reference = reference;
    this.#query = `?model=${encodeURIComponent(modelId)}`;
  }

  get run(): GateRun {
    return this.#run;
  }

  /** `undefined` until there is one. */
  get last(): GateResultJson | undefined {
    return this.#results[0];
  }

  /** Reads the results. Never rejects: a failure is the state of the run. */
  load(): Promise<void> {
    return this.#report(async () => {
      const response = await send(this.#client, `${path}${this.#query}`);
      // The boundary: the runner is this same build, so the path settles the shape.
      this.#results = ((await response.json()) as GateHistoryJson).results;
    });
  }

  /** Checks the model. Never rejects. */
  async start(): Promise<void> {
    if (this.#run.status === 'running') return;
    this.#run = { status: 'running', stage: 'loading', percent: 0 };
    const cancel = new AbortController();
    this.#cancel = cancel;
    await this.#report(async () => {
      const asked: GateRequestJson = { model: this.#reference };
      const response = await send(this.#client, path, { ...post(asked), signal: cancel.signal });
      for await (const line of jsonLines<GateLineJson>(response)) if (this.#take(line)) return;
      throw new ApiError('host_lost', 'The check stopped before its end. Run it again.');
    });
  }

  /** Ends the check; it leaves no result. */
  cancel(): void {
    this.#cancel.abort();
  }

  /** Returns whether it was the last line. */
  #take(line: GateLineJson): boolean {
    if (line.type === 'error') throw new ApiError(line.error.code, line.error.message);
    if (line.type === 'done') {
      this.#results = [line.result, ...this.#results];
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
