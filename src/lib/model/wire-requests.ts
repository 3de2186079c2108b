/**
 * What the request inspector puts on the wire: rows of a list, whole records, and the events that keep a list current.
 * Times are Unix milliseconds, durations milliseconds.
 */
import type { Digest } from '#lib/core/digest.ts';
import type { ErrorBody, ErrorCode } from '#lib/core/errors.ts';

/** `lost`: the runner died while it answered. The first four are under way. */
export const requestStates = [
  'queued',
  'loading',
  'prefill',
  'decode',
  'done',
  'failed',
  'cancelled',
  'lost',
] as const;
export type RequestState = (typeof requestStates)[number];

/** What was asked of the model. */
export const requestModes = ['chat', 'completion', 'embedding', 'rerank'] as const;
export type RequestMode = (typeof requestModes)[number];

/**
 * Who asked. `page`: Sampan's own pages; `tab`: a script of this origin; `site`: a page of another origin, `name` is
 * that origin; `program`: through the companion, `name` is the product of its user agent; `replay`: sent again from
 * the inspector; `unknown`: nothing told.
 */
export const requestSourceKinds = ['page', 'tab', 'site', 'program', 'replay', 'unknown'] as const;
export type RequestSourceKind = (typeof requestSourceKinds)[number];

export interface RequestSourceJson {
  readonly kind: RequestSourceKind;
  readonly name?: string;
}

/** A request in a list. What is not known, or not yet, is absent. */
export interface RequestRowJson {
  /** `req_…`; also the header `x-request-id` of the answer. Sorts by time. */
  readonly id: string;
  /** Grows with every change: of two rows with one id the higher is the newer. */
  readonly version: number;
  readonly state: RequestState;
  readonly mode: RequestMode;
  /** As the client wrote it, without the query: `/v1/chat/completions`. */
  readonly path: string;
  readonly source: RequestSourceJson;
  /** As it was asked for; empty when the body named none. */
  readonly model: string;
  readonly model_id?: Digest;
  /** `llama.cpp` or `webllm`. */
  readonly engine?: string;
  /** Start of the last message, on one line, at most 200 characters. */
  readonly prompt: string;
  readonly started_ms: number;
  /** HTTP status; 499 for a cancelled one. Absent while nothing was answered, and when the runner died. */
  readonly status_code?: number;
  readonly error_code?: ErrorCode;
  readonly finish_reason?: string;
  readonly timing: RequestTimingJson;
  readonly usage?: RequestUsageJson;
  /** Tokens of context in all; `usage` says how many of them are taken. */
  readonly context_size?: number;
  /** What the record takes in storage, about. */
  readonly size_bytes: number;
  /** It came with an import and was not answered here. */
  readonly imported?: boolean;
}

/** Where the time went; the parts follow one another and may leave out a little between them. */
export interface RequestTimingJson {
  /** Waited for its turn. */
  readonly queue_ms?: number;
  /** Waited for the model to load; 0 when it was loaded. */
  readonly load_ms?: number;
  /** From its turn to the first token. */
  readonly prefill_ms?: number;
  /** From the first token to the last. */
  readonly decode_ms?: number;
  /** From the start to the first token. */
  readonly first_token_ms?: number;
  /** From the start to the end; absent while it is under way. */
  readonly duration_ms?: number;
  /** Decode speed by the engine's own count. */
  readonly tokens_per_second?: number;
}

export interface RequestUsageJson {
  /** Cached ones included. */
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly completion_tokens: number;
}

/** A text that was too long to be kept whole: its beginning, and how many characters are missing after it. */
export interface KeptTextJson {
  readonly text: string;
  readonly cut_chars?: number;
}

/** A piece of the answer as the engine gave it, mostly one token. `at_ms` counts from `started_ms`. */
export interface RequestPieceJson {
  readonly at_ms: number;
  readonly type: 'text' | 'reasoning';
  readonly text: string;
}

/** A part of a streamed body as it left the runner, mostly one `data: …` frame. `at_ms` counts from `started_ms`. */
export interface RequestFrameJson {
  readonly at_ms: number;
  readonly text: string;
}

/** `GET /_sampan/requests/{id}`, and a line of the JSONL export. */
export interface RequestJson extends RequestRowJson {
  readonly method: string;
  /** Of the client, secrets left out: names in lower case. */
  readonly request_headers: Readonly<Record<string, string>>;
  /** JSON as it was sent, white space aside. Empty when it could not be read. */
  readonly request_body: KeptTextJson;
  /** Fields of the body that are neither model nor messages, as asked. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What was used after the defaults of the model, and what the model was loaded with. */
  readonly parameters_in_force: Readonly<Record<string, unknown>>;
  /** The text that the model saw. Absent where the engine does not tell, or told only at an end that never came. */
  readonly rendered_prompt?: KeptTextJson;
  readonly response_headers: Readonly<Record<string, string>>;
  /** The answer as a text, joined. */
  readonly answer: KeptTextJson;
  /** The thinking before it, joined. */
  readonly reasoning?: KeptTextJson;
  /** The body that was sent: one JSON text, or for a stream its frames one after the other. */
  readonly response_body: KeptTextJson;
  readonly pieces: readonly RequestPieceJson[];
  /** Pieces that are not kept, because there were too many. */
  readonly cut_pieces?: number;
  /** Empty unless the answer was a stream. */
  readonly frames: readonly RequestFrameJson[];
  readonly error?: ErrorBody['error'];
  /** Where it computed, for people: "GPU" or "CPU, 4 threads". */
  readonly device?: string;
  readonly replay_of?: string;
}

/**
 * What `GET /_sampan/requests` and `/_sampan/requests/events` take as query parameters, each at most once. All must
 * hold; several states or sources are separated by commas.
 */
export interface RequestFilter {
  /** As asked, or any name or id of the same stored model. */
  readonly model?: string;
  readonly state?: readonly RequestState[];
  readonly source?: readonly RequestSourceKind[];
  /** Started at this time or later. */
  readonly from_ms?: number;
  /** Started before this time. */
  readonly to_ms?: number;
  readonly min_duration_ms?: number;
  readonly max_duration_ms?: number;
  /** Text in the prompt, the answer, the model's name or the error, without regard to case. */
  readonly q?: string;
}

/** `GET /_sampan/requests?limit=&before=`: newest first. */
export interface RequestPageJson {
  readonly requests: readonly RequestRowJson[];
  /** For `before` of the following page; absent on the last one. */
  readonly next?: string;
  /** How many match in all. */
  readonly total: number;
  readonly kept: RequestsKeptJson;
}

export interface RequestsKeptJson {
  readonly count: number;
  readonly bytes: number;
}

/** `GET` and `PUT /_sampan/requests/settings`; what a `PUT` leaves out stays as it is. */
export interface RequestSettingsJson {
  /** `false` records nothing; what is kept stays until it is cleared. */
  readonly recording: boolean;
  /** The oldest go first when there are more, or when they take more than `max_bytes`. */
  readonly max_count: number;
  readonly max_bytes: number;
}

/**
 * The server-sent events of `GET /_sampan/requests/events`, by name. Nothing is sent for what was there before: follow
 * first, then read the list, and keep of each row the higher `version`.
 */
export interface RequestEvents {
  /** On connect, and when the numbers change. */
  readonly kept: RequestsKeptJson;
  /** A request that matches the filter began or changed. */
  readonly request: RequestRowJson;
  /** These match no more, or are kept no more. */
  readonly gone: { readonly ids: readonly string[] };
}

/** `POST /_sampan/requests/import` with a JSONL body: how many lines were taken, known already, or not readable. */
export interface RequestImportJson {
  readonly imported: number;
  readonly known: number;
  readonly refused: number;
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A line of `GET /logs` for who accepts `application/x-ndjson`. */
export interface LogLineJson {
  /** Grows by one a line, across restarts; a gap means that lines were dropped. */
  readonly number: number;
  readonly time_ms: number;
  readonly level: LogLevel;
  /** The runner's own lines, or those of the engines. */
  readonly source: 'service' | 'engine';
  /** Which part: `runner`, `scheduler`, `store`, … or the engine's name. */
  readonly component: string;
  readonly message: string;
  /** `request` is the id of a request record, `model` the name of a model. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}
