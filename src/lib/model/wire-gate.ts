/** What the check of a model's correctness puts on the wire: one device's predictions held against another's. */
import type { Digest } from '#lib/core/digest.ts';
import type { ErrorBody } from '#lib/core/errors.ts';

/** `POST /_sampan/gate`. */
export interface GateRequestJson {
  readonly model: string;
}

/** `close`: more differs than rounding explains for most devices, and less than a faulty one brings about. */
export type GateVerdict = 'agrees' | 'close' | 'differs';

/** Where the two would have gone on differently. */
export interface GateDifferenceJson {
  /** Counted from 1. */
  readonly position: number;
  /** The end of the text that both had read. */
  readonly after: string;
  readonly candidate: string;
  readonly reference: string;
}

export interface GateResultJson {
  readonly id: string;
  readonly date_ms: number;
  /** As a person would type it. */
  readonly model: string;
  readonly model_id: Digest;
  /** Name, version and how it computes: "llama.cpp b12211 (CPU, 4 threads)". */
  readonly engine: string;
  /** The name of the machine's GPU, where there is one. */
  readonly adapter?: string;
  /** Of Sampan. */
  readonly version: string;
  /** What was checked, and what it was held against: "GPU, Radeon" and "CPU, 4 threads". */
  readonly candidate: string;
  readonly reference: string;
  /** Positions of the text at which both were asked what comes next. */
  readonly positions: number;
  /** Of these, where both gave the same token. */
  readonly agreed: number;
  readonly verdict: GateVerdict;
  /** What it means, and what to do. */
  readonly detail: string;
  /** The first ones. */
  readonly differences: readonly GateDifferenceJson[];
}

export type GateStage = 'loading' | 'candidate' | 'reference';

/** A line of the answer; the last one is `done` or `error`. */
export type GateLineJson =
  | {
      readonly type: 'progress';
      readonly stage: GateStage;
      /** Positions that are read, of both together. */
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'done'; readonly result: GateResultJson }
  | { readonly type: 'error'; readonly error: ErrorBody['error'] };

/** `GET /_sampan/gate`: newest first. */
export interface GateHistoryJson {
  readonly results: readonly GateResultJson[];
}
