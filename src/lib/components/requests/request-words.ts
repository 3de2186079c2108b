/** A request in words: how it stands, who asked, how long it took, what to do when it failed. */
import type { ErrorCode } from '#lib/core/errors.ts';
import type {
  RequestMode,
  RequestRowJson,
  RequestSourceJson,
  RequestSourceKind,
  RequestState,
} from '#lib/model/wire-requests.ts';
import { shortReference } from '#lib/state/names.ts';
import { visibleText } from '#lib/state/visible-text.ts';

interface StateWords {
  readonly tone: 'live' | 'soft' | 'warn' | 'bad';
  readonly text: string;
  /** Of what is under way a dot with a halo stands instead. */
  readonly icon?: string;
}

const underWay: Partial<Readonly<Record<RequestState, string>>> = {
  queued: 'Waiting',
  loading: 'Loading',
  prefill: 'Reading',
  decode: 'Streaming',
};

export function isUnderWay({ state }: Pick<RequestRowJson, 'state'>): boolean {
  return underWay[state] !== undefined;
}

export function stateWords({
  state,
  status_code: status,
  finish_reason: finish,
}: RequestRowJson): StateWords {
  const word = underWay[state];
  if (word !== undefined) return { tone: 'live', text: word };
  if (state === 'cancelled') return { tone: 'warn', text: 'Cancelled', icon: 'stop' };
  if (state === 'lost') return { tone: 'bad', text: 'Lost', icon: 'offline' };
  if (state === 'failed')
    return { tone: 'bad', text: status === undefined ? 'Failed' : String(status), icon: 'bad' };
  return { tone: 'soft', text: String(status ?? 200), icon: finish === 'tool_calls' ? 'tool' : 'check' };
}

const modeTitles: Readonly<Record<RequestMode, string>> = {
  chat: 'Chat completion',
  completion: 'Text completion',
  embedding: 'Embedding',
  rerank: 'Reranking',
};

/** "Chat completion · 14:31:47". */
export function titleOf({ mode, started_ms: ms }: Pick<RequestRowJson, 'mode' | 'started_ms'>): string {
  return `${modeTitles[mode]} · ${clockOf(ms)}`;
}

export const sourceWords: Readonly<Record<RequestSourceKind, string>> = {
  page: 'Sampan',
  tab: 'Script of this site',
  site: 'Other site',
  program: 'Program',
  replay: 'Replay',
  unknown: 'Unknown',
};

/** "Sampan", "https://play.example", "curl/8.5.0". */
export function sourceOf({ kind, name }: RequestSourceJson): string {
  return name === undefined ? sourceWords[kind] : visibleText(name);
}

/** As it was asked for, without what every reference has. A name without a slash may be of another service. */
export function modelOf({ model }: Pick<RequestRowJson, 'model'>): string {
  if (model === '') return 'no model';
  return visibleText(model.includes('/') ? shortReference(model) : model);
}

/** Local time: "14:31:47". */
export function clockOf(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** "2 ms", "374 ms", "6.7 s", "2 min 5 s". */
export function spanWords(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9950 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** How long it took, or takes so far. */
export function durationOf(row: RequestRowJson, nowMs: number): number | undefined {
  if (row.timing.duration_ms !== undefined) return row.timing.duration_ms;
  return isUnderWay(row) ? Math.max(0, nowMs - row.started_ms) : undefined;
}

export interface ContextUse {
  readonly tokens: number;
  readonly size: number;
  readonly percent: number;
  /** A sentence for those who do not see the gauge. */
  readonly words: string;
}

export function contextOf({ usage, context_size: size }: RequestRowJson): ContextUse | undefined {
  if (usage === undefined || size === undefined || size <= 0) return undefined;
  const tokens = usage.prompt_tokens + usage.completion_tokens;
  return {
    tokens,
    size,
    percent: (tokens / size) * 100,
    words: `${number(tokens)} of ${number(size)} tokens`,
  };
}

export function number(value: number): string {
  return value.toLocaleString('en');
}

const advice: Partial<Readonly<Record<ErrorCode, string>>> = {
  model_not_found: 'Pull the model in the catalog, or ask for one that is here.',
  context_length_exceeded: 'Shorten the prompt, or load the model with a larger context.',
  insufficient_memory: 'Unload another model, choose a smaller context or a smaller variant.',
  unsupported_parameter: 'Leave the parameter out, or edit and replay the request without it.',
  invalid_request: 'Edit and replay the request to try another body.',
  host_lost: 'Replay it: another tab answers now.',
  host_stalled: 'Close the tab that does not answer, then replay it.',
  device_lost: 'Replay it. If it happens again, load the model with a smaller context.',
  loading_timeout: 'Replay it: a second load finds more in the cache.',
  storage_full: 'Free disk space, or delete a model.',
  not_supported: 'Another engine or a remote server may be able to do it.',
};

export function adviceFor(code: ErrorCode): string | undefined {
  return advice[code];
}
