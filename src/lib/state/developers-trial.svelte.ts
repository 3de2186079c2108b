/** One request that a person tries: written, sent, its answer read as it comes, cancelled. */
import type { Clock } from '#lib/core/clock.ts';
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import { parseJson, type Client } from './client.ts';
import { AnswerText } from './developers-answer.ts';
import { problemOf } from './developers-body.ts';
import type { Endpoint } from './developers-endpoints.ts';
import { oncePerFrame, type Frames } from './frames.ts';

export type TrialState =
  | { readonly status: 'idle' }
  | { readonly status: 'sending'; readonly startedMs: number }
  | { readonly status: 'answering'; readonly startedMs: number; readonly head: AnswerHead }
  | { readonly status: 'done'; readonly head: AnswerHead; readonly durationMs: number }
  | { readonly status: 'cancelled'; readonly head?: AnswerHead; readonly durationMs: number }
  | { readonly status: 'failed'; readonly error: ApiError; readonly durationMs: number };

export interface AnswerHead {
  readonly code: number;
  readonly contentType: string;
  /** Of the record of this request, if it was a model that was asked. */
  readonly requestId?: string;
  /** Fields that were not read. */
  readonly warning?: string;
  readonly firstByteMs: number;
}

export interface TrialOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly frames: Frames;
}

/** An answer without an end is shown up to here. */
const maxShownChars = 200_000;

export class Trial {
  readonly #options: TrialOptions;
  readonly #show: () => void;
  #endpoint = $state.raw<Endpoint>();
  #path = $state('');
  #body = $state('');
  #state = $state.raw<TrialState>({ status: 'idle' });
  #shown = $state.raw({ raw: '', joined: '' });
  #raw = '';
  #answer = new AnswerText('');
  #leaving = new AbortController();

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#show = oncePerFrame(options.frames, () => {
      this.#shown = { raw: this.#raw, joined: this.#answer.text };
    });
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  get path(): string {
    return this.#path;
  }

  set path(path: string) {
    this.#path = path;
  }

  get body(): string {
    return this.#body;
  }

  set body(body: string) {
    this.#body = body;
  }

  get state(): TrialState {
    return this.#state;
  }

  /** The answer as it came; its beginning where it is too long. */
  get raw(): string {
    return this.#shown.raw;
  }

  /** What the model said, joined; empty where no model was asked. */
  get joined(): string {
    return this.#shown.joined;
  }

  get isBusy(): boolean {
    return this.#state.status === 'sending' || this.#state.status === 'answering';
  }

  /** Why what was chosen cannot be sent as it is. */
  get problem(): string | undefined {
    if (!this.#endpoint) return undefined;
    if (/[{}]/.test(this.#path)) return 'Put a name in place of what stands in braces.';
    if (!this.#path.startsWith('/')) return 'The path must begin with a slash.';
    return this.#endpoint.body === undefined ? undefined : problemOf(this.#path, this.#body);
  }

  /** `model` takes the place of `{ref}`. */
  choose(endpoint: Endpoint, model: string | undefined): void {
    this.cancel();
    this.#endpoint = endpoint;
    this.#path = model === undefined ? endpoint.path : endpoint.path.replace('{ref}', model);
    this.#body = endpoint.body ?? '';
    if (model !== undefined) this.useModel(model);
    this.#state = { status: 'idle' };
    this.#forget('');
  }

  /** Asks another model, where the body names one and can be read. */
  useModel(model: string): void {
    const body = parseJson(this.#body);
    if (typeof body !== 'object' || body === null || !('model' in body)) return;
    this.#body = JSON.stringify({ ...body, model }, undefined, 2);
  }

  /** Never rejects: a failure is the state. */
  async send(): Promise<void> {
    const endpoint = this.#endpoint;
    if (!endpoint || this.isBusy || this.problem !== undefined) return;
    const leaving = new AbortController();
    this.#leaving = leaving;
    const startedMs = this.#options.clock.now();
    this.#state = { status: 'sending', startedMs };
    this.#forget('');
    try {
      const response = await this.#options.client.fetch(this.#path, {
        method: endpoint.method,
        signal: leaving.signal,
        ...(endpoint.body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: this.#body }),
      });
      const head = this.#headOf(response, startedMs);
      this.#forget(head.contentType);
      this.#state = { status: 'answering', startedMs, head };
      await this.#read(response, leaving.signal);
      leaving.signal.throwIfAborted();
      this.#end(leaving, { status: 'done', head, durationMs: this.#since(startedMs) });
    } catch (thrown) {
      this.#fail(leaving, thrown, startedMs);
    }
  }

  cancel(): void {
    this.#leaving.abort();
  }

  async #read(response: Response, signal: AbortSignal): Promise<void> {
    if (!response.body) return;
    for await (const piece of response.body.pipeThrough(new TextDecoderStream(), { signal })) {
      this.#answer.feed(piece);
      if (this.#raw.length < maxShownChars) this.#raw += piece;
      this.#show();
    }
    this.#answer.finish(this.#raw);
    this.#show();
  }

  #fail(leaving: AbortController, thrown: unknown, startedMs: number): void {
    const durationMs = this.#since(startedMs);
    const state = this.#state;
    if (!leaving.signal.aborted) {
      this.#end(leaving, { status: 'failed', error: toApiError(thrown), durationMs });
    } else {
      const head = state.status === 'answering' ? { head: state.head } : {};
      this.#end(leaving, { status: 'cancelled', durationMs, ...head });
    }
  }

  /** A request that another took the place of has nothing more to say. */
  #end(leaving: AbortController, state: TrialState): void {
    if (this.#leaving === leaving && this.isBusy) this.#state = state;
  }

  #headOf({ status, headers }: Response, startedMs: number): AnswerHead {
    const requestId = headers.get('x-request-id');
    const warning = headers.get('warning');
    return {
      code: status,
      contentType: headers.get('content-type') ?? '',
      firstByteMs: this.#since(startedMs),
      ...(requestId !== null && { requestId }),
      ...(warning !== null && { warning }),
    };
  }

  #forget(contentType: string): void {
    this.#raw = '';
    this.#answer = new AnswerText(contentType);
    this.#shown = { raw: '', joined: '' };
  }

  #since(startedMs: number): number {
    return this.#options.clock.now() - startedMs;
  }
}
