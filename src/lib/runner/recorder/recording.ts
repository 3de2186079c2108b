/** One request while it is under way: told what happens, it becomes a row at any time and a whole record at the end. */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import type { EngineName } from '#lib/engine/port.ts';
import type {
  RequestJson,
  RequestMode,
  RequestPieceJson,
  RequestRowJson,
  RequestSourceJson,
  RequestState,
} from '#lib/model/wire-requests.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { AnswerText } from './answer-text.ts';
import { inForceOf, speedOf, usageOf, type Finish, type Granted } from './figures.ts';
import { StateClock } from './state-clock.ts';
import { excerpt, keepText, readAsked, type AskedParts } from './texts.ts';

/** `begun` and `ended` are worth a write, `changed` is worth telling, `piece` comes with every token. */
export type RecordingChange = 'begun' | 'changed' | 'piece' | 'ended';

export interface Beginning {
  readonly id: string;
  readonly mode: RequestMode;
  readonly method: string;
  readonly path: string;
  readonly source: RequestSourceJson;
  readonly headers: Readonly<Record<string, string>>;
  readonly replayOf?: string | undefined;
}

export class Recording {
  readonly id: string;
  readonly startedMs: number;
  readonly #beginning: Beginning;
  readonly #clock: Clock;
  readonly #onChange: (change: RecordingChange) => void;
  readonly #states: StateClock;
  readonly #answer: AnswerText;
  #version = 1;
  #asked: AskedParts = { model: '', prompt: '', last: '', parameters: {} };
  #body = '';
  #stored: { readonly id: Digest; readonly name: string } | undefined;
  #granted: Granted | undefined;
  #finish: Finish | undefined;
  #failure: ApiError | undefined;
  #rendered: string | undefined;
  #statusCode: number | undefined;
  #responseHeaders: Readonly<Record<string, string>> = {};

  constructor(beginning: Beginning, clock: Clock, onChange: (change: RecordingChange) => void) {
    this.id = beginning.id;
    this.startedMs = clock.now();
    this.#beginning = beginning;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#states = new StateClock(this.startedMs);
    this.#answer = new AnswerText(this.startedMs);
  }

  get state(): RequestState {
    return this.#states.state;
  }

  get ended(): boolean {
    return this.#states.ended;
  }

  get mode(): RequestMode {
    return this.#beginning.mode;
  }

  /** The name of the stored model, once it was found; never what a client made up. */
  get modelName(): string | undefined {
    return this.#stored?.name;
  }

  get engine(): EngineName | undefined {
    return this.#granted?.engine;
  }

  get finishEvent(): Finish | undefined {
    return this.#finish;
  }

  /** When each piece came, in Unix milliseconds. */
  get pieceTimesMs(): readonly number[] {
    return this.#answer.timesMs;
  }

  /** The body was read, valid or not. */
  asked(body: unknown): void {
    this.#asked = readAsked(body);
    this.#body = JSON.stringify(body);
    this.#touch('changed');
  }

  /** The model is one that is stored; now it waits for its turn. */
  queued(id: Digest, name: string): void {
    this.#stored = { id, name };
    this.#states.wait(this.#clock.now());
    this.#touch('begun');
  }

  /** The model that it waits for is being loaded, or no longer is. */
  loading(): void {
    this.#enter('loading');
  }

  waiting(): void {
    this.#enter('queued');
  }

  /** It has the model to itself. */
  prefill(granted: Granted): void {
    this.#granted = granted;
    this.#enter('prefill');
  }

  /** What the engine tells. */
  event(event: ChatEvent): void {
    if (this.ended) return;
    if (event.type === 'finish') {
      this.#finish = event;
      this.#rendered = event.renderedPrompt ?? this.#rendered;
    }
    const piece = pieceOf(event);
    if (!piece) return;
    this.#enter('decode');
    this.#answer.add(piece, this.#clock.now());
    this.#touch('piece');
  }

  /** Passes the events on; a failure among them is noted and thrown on. */
  async *observe(events: AsyncIterable<ChatEvent>): AsyncGenerator<ChatEvent, void, undefined> {
    try {
      for await (const event of events) {
        this.event(event);
        yield event;
      }
    } catch (thrown) {
      this.#failure = toApiError(thrown);
      throw thrown;
    }
  }

  /** The head of the answer is on its way. */
  answered(statusCode: number, headers: Readonly<Record<string, string>>): void {
    this.#statusCode = statusCode;
    this.#responseHeaders = headers;
  }

  /** A part of a streamed body is on its way. */
  frame(text: string): void {
    this.#answer.addFrame(text, this.#clock.now());
  }

  /** The whole body was sent. `body` is that of an answer that was no stream. */
  finish(body = ''): void {
    this.#answer.body = body;
    if (this.#failure) this.fail(this.#failure);
    else this.#end('done');
  }

  /** `body` is what was answered instead; an error that comes before any answer is answered as itself. */
  fail(error: ApiError, body?: string): void {
    if (error.code === 'aborted') return this.cancel();
    if (this.ended) return;
    this.#failure = error;
    this.#answer.body = body ?? (this.#statusCode === undefined ? JSON.stringify(error) : '');
    this.#statusCode ??= error.status;
    this.#end('failed');
  }

  /** Whoever asked has left. What was finished before stays finished. */
  cancel(): void {
    if (this.ended) return;
    if (this.#finish && !this.#failure) return this.#end('done');
    this.#failure = toApiError(new DOMException('left', 'AbortError'));
    this.#statusCode = this.#failure.status;
    this.#end('cancelled');
  }

  toRow(): RequestRowJson {
    const { mode, path, source } = this.#beginning;
    const finish = this.#finish;
    return {
      id: this.id,
      version: this.#version,
      state: this.state,
      mode,
      path,
      source,
      model: keepText(this.#asked.model, 500).text,
      ...(this.#stored && { model_id: this.#stored.id }),
      ...(this.#granted?.engine && { engine: this.#granted.engine }),
      prompt: excerpt(this.#asked.last),
      started_ms: this.startedMs,
      ...(this.#statusCode !== undefined && { status_code: this.#statusCode }),
      ...(this.ended && this.#failure && { error_code: this.#failure.code }),
      ...(finish && { finish_reason: finish.reason, usage: usageOf(finish) }),
      timing: {
        ...this.#states.timing(),
        ...(this.#answer.firstMs !== undefined && { first_token_ms: this.#answer.firstMs - this.startedMs }),
        ...(finish && finish.timings.decodeMs > 0 && { tokens_per_second: speedOf(finish) }),
      },
      ...(this.#granted && { context_size: this.#granted.model.contextSize }),
      size_bytes: this.#body.length + (this.#rendered?.length ?? 0) + this.#answer.sizeChars + overheadBytes,
    };
  }

  toJson(): RequestJson {
    const { method, headers, replayOf } = this.#beginning;
    const granted = this.#granted;
    return {
      ...this.toRow(),
      method,
      request_headers: headers,
      request_body: keepText(this.#body),
      parameters: this.#asked.parameters,
      parameters_in_force: granted ? { ...granted.parameters, ...inForceOf(granted.model) } : {},
      ...(this.#rendered !== undefined && { rendered_prompt: keepText(this.#rendered) }),
      response_headers: this.#responseHeaders,
      ...this.#answer.toJson(),
      ...(this.ended && this.#failure && { error: this.#failure.toJSON().error }),
      ...(granted && { device: granted.model.device }),
      ...(replayOf !== undefined && { replay_of: replayOf }),
    };
  }

  /** What a search looks through. */
  searchText(): string {
    const parts = [this.#asked.model, this.#asked.prompt, this.#answer.joined(), this.#failure?.code ?? ''];
    return parts.join('\n');
  }

  #enter(state: RequestState): void {
    if (this.#states.enter(state, this.#clock.now())) this.#touch('changed');
  }

  #end(state: 'done' | 'failed' | 'cancelled'): void {
    if (this.#states.enter(state, this.#clock.now())) this.#touch('ended');
  }

  #touch(change: RecordingChange): void {
    this.#version++;
    this.#onChange(change);
  }
}

/** A call is told as a text of its own: an arrow, the name, the arguments as they come. */
function pieceOf(event: ChatEvent): Pick<RequestPieceJson, 'type' | 'text'> | undefined {
  if (event.type === 'text' || event.type === 'reasoning') return event;
  if (event.type === 'tool-call') return { type: 'text', text: `→ ${event.name} ` };
  return event.type === 'tool-arguments' ? { type: 'text', text: event.text } : undefined;
}

/** Names, headers and the record itself. */
const overheadBytes = 1000;
