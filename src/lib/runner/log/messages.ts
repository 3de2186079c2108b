/**
 * Everything that the runner's own lines may say. A line is one of these sentences and fields of fixed names, so that
 * no text of a request can enter the log.
 */

export const logMessages = [
  'the runner started',
  'the runner stops',
  'request began',
  'request answered',
  'request failed',
  'request cancelled',
  'model loads',
  'model loaded',
  'model failed to load',
  'model unloaded',
  'engine lost',
  'pull began',
  'pull done',
  'pull paused',
  'pull failed',
  'model stored',
  'model removed',
  'settings changed',
  'records cleared',
  'records imported',
  'unexpected failure',
  'the engine had something to say while it answered, which is left out',
  'lines of the log could not be kept',
] as const;
export type LogMessage = (typeof logMessages)[number];

/** Ids, codes, figures, and names of models that are stored; never what a client wrote otherwise. */
export interface LogFields {
  readonly request?: string | undefined;
  readonly model?: string | undefined;
  readonly engine?: string | undefined;
  readonly device?: string | undefined;
  readonly source?: string | undefined;
  readonly mode?: string | undefined;
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly duration_ms?: number | undefined;
  readonly queue_ms?: number | undefined;
  readonly load_ms?: number | undefined;
  readonly prompt_tokens?: number | undefined;
  readonly cached_tokens?: number | undefined;
  readonly completion_tokens?: number | undefined;
  readonly tokens_per_second?: number | undefined;
  readonly context_size?: number | undefined;
  readonly bytes?: number | undefined;
  readonly count?: number | undefined;
  readonly version?: string | undefined;
  /** Of an unexpected failure: its class, and where it came from. Its message may quote a request. */
  readonly error?: string | undefined;
  readonly at?: string | undefined;
}
