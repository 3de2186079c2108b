/** What the benchmark needs of the rest of the runner. */
import type { Digest } from '#lib/core/digest.ts';
import type { LoadConfig, LoadedModel } from '#lib/engine/port.ts';

export interface BenchModels {
  /** Throws `model_not_found`. */
  identify(reference: string): Promise<BenchSubject>;
  /**
   * Loads the model for `use` alone, even when it is loaded already, and unloads it after: a cold start is one of the
   * figures, and nobody else may compute meanwhile. Waits its turn like every request; rejects with the signal's reason.
   */
  withModel<T>(
    reference: string,
    config: LoadConfig,
    use: (model: LoadedModel) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
}

export interface BenchSubject {
  readonly id: Digest;
  /** As a person would type it. */
  readonly name: string;
  /** What runs it, as it describes itself. */
  readonly engine: string;
  /** The GPU's name, where there is one. */
  readonly adapter: string | undefined;
}

/** Where results outlive the tab; `undefined` until something was saved. What is given back is as it was saved. */
export interface BenchHistory {
  load(): Promise<unknown>;
  save(results: readonly unknown[]): Promise<void>;
}
