/** What the benchmark puts on the wire. Speeds are tokens a second, times milliseconds, as a mean of repetitions. */
import type { Digest } from '#lib/core/digest.ts';
import type { ErrorBody } from '#lib/core/errors.ts';

/** `POST /_sampan/bench`. */
export interface BenchRequestJson {
  readonly model: string;
  /** Of every figure, the warm-up not counted; 5 when absent. */
  readonly repetitions?: number;
}

/** `sd` is the standard deviation of the samples. */
export interface FigureJson {
  readonly mean: number;
  readonly sd: number;
  readonly samples: readonly number[];
}

export interface BenchResultJson {
  readonly id: string;
  readonly date_ms: number;
  /** As a person would type it. */
  readonly model: string;
  readonly model_id: Digest;
  /** Name, version and how it computes: "llama.cpp b12211 (CPU, 4 threads)". */
  readonly engine: string;
  /** Where it computed: "GPU" or "CPU, 4 threads". */
  readonly device: string;
  /** The name of the machine's GPU; whether it was used says `device`. */
  readonly adapter?: string;
  /** Of Sampan. */
  readonly version: string;
  /** Prefill of so many tokens: 512 where the context allows. */
  readonly prompt: { readonly tokens: number; readonly per_second: FigureJson };
  /** Decode of so many tokens from a prompt of one or two: 128 where the context allows. */
  readonly generation: { readonly tokens: number; readonly per_second: FigureJson };
  /** From asking to the first token: with loading the model, and when it is loaded. */
  readonly first_token: { readonly cold_ms: number; readonly warm_ms: FigureJson };
  /** Tokens a second of all requests together, for so many at once as the engine answers. */
  readonly parallel: readonly { readonly requests: number; readonly per_second: FigureJson }[];
}

export type BenchStage = 'loading' | 'warm-up' | 'prompt' | 'generation' | 'first-token' | 'parallel';

/** A line of the answer; the last one is `done` or `error`. */
export type BenchLineJson =
  | {
      readonly type: 'progress';
      readonly stage: BenchStage;
      /** Steps that are done of all; a step is one measured answer, or a load. */
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'done'; readonly result: BenchResultJson }
  | { readonly type: 'error'; readonly error: ErrorBody['error'] };

/** `GET /_sampan/bench`: newest first. */
export interface BenchHistoryJson {
  readonly results: readonly BenchResultJson[];
}
