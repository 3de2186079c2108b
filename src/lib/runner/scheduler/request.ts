/** What is asked of the scheduler, and what it tells about the models in memory. */
import type { Digest } from '#lib/core/digest.ts';
import type { EngineName, LoadableModel, LoadConfig, LoadedModel, RunnerMode } from '#lib/engine/port.ts';

/** What is to be loaded; `open` is called only if it is not loaded yet. */
export interface ModelRequest {
  readonly id: Digest;
  /** As a person would type it, for `ps` and for messages. */
  readonly name: string;
  /** A model in two modes is loaded twice. */
  readonly mode: RunnerMode;
  readonly config: LoadConfig;
  /** What it is computed with, where a person may choose; a model that was loaded with something else is loaded again. */
  readonly means?: string | undefined;
  /** `Infinity` keeps it for ever and nothing evicts it, 0 unloads it at once; the scheduler's own when absent. */
  readonly keepAliveMs?: number | undefined;
  /** Estimated memory of weights, cache and buffers. */
  readonly sizeBytes: number;
  readonly open: () => Promise<LoadableModel>;
}

/** The use of a loaded model, shared with as many others as it answers at once. `release` is idempotent. */
export interface Lease {
  readonly model: LoadedModel;
  readonly engine: EngineName;
  release(): void;
}

/** A model in memory, or on its way there, as it was when it was asked for. */
export interface Resident {
  /** Known once its files are open. */
  readonly engine: EngineName | undefined;
  /** The latest one that it answered: the keep-alive may change while it is loaded. */
  readonly request: ModelRequest;
  readonly state: 'loading' | 'idle' | 'busy';
  /** Requests that it answers. */
  readonly active: number;
  /** Requests that wait for it. */
  readonly queued: number;
  readonly loaded: LoadedModel | undefined;
  readonly lastUsedMs: number;
  /** It leaves as soon as nobody uses it. */
  readonly retired: boolean;
  /** When it will be unloaded if nobody comes. */
  readonly expiresAtMs: number | undefined;
  readonly sizeBytes: number;
}

/** Whether a model that was loaded for the one also serves the other. */
export function sameConfig(one: Loading, other: Loading): boolean {
  return one.means === other.means && canonical(one.config) === canonical(other.config);
}

type Loading = Pick<ModelRequest, 'config' | 'means'>;

function canonical(config: LoadConfig): string {
  return JSON.stringify(Object.entries(config).sort(([one], [other]) => (one < other ? -1 : 1)));
}
