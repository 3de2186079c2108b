/** What the self-test and the probe of a browser put on the wire. */

/** What this browser can compute with; holds nothing about the person. */
export interface ProbeJson {
  readonly version: string;
  readonly user_agent: string;
  /** Threads share memory only in an isolated page. */
  readonly isolated: boolean;
  readonly cores: number;
  readonly threads: number;
  /** JavaScript promise integration: llama.cpp reads its files without a copy and may use the GPU. */
  readonly jspi: boolean;
  readonly storage: {
    readonly used_bytes: number;
    readonly quota_bytes: number;
    readonly persisted: boolean;
  };
  /** `null` where the browser offers none. */
  readonly adapter: AdapterJson | null;
}

export interface AdapterJson {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly f16: boolean;
  readonly features: readonly string[];
  /** The limits that decide which models fit. */
  readonly limits: Readonly<Record<string, number>>;
}

export type SelfTestVerdict =
  | 'correct'
  /** It ran, and said something else than it must. */
  | 'wrong'
  | 'failed'
  /** This browser lacks what the engine needs. */
  | 'unavailable';

export interface EngineTestJson {
  readonly engine: string;
  readonly verdict: SelfTestVerdict;
  /** "GPU, …" or "CPU, 4 threads"; absent when it never loaded. */
  readonly device?: string;
  readonly load_ms?: number;
  /** Decode speed of the tiny model, which says more about the overhead of a token than about the speed of a real one. */
  readonly tokens_per_second?: number;
  /** What differs, and what to do. */
  readonly detail?: string;
}

export interface SelfTestJson {
  readonly time_ms: number;
  readonly engines: readonly EngineTestJson[];
}

/** `GET /_sampan/self-test`: the last result on this adapter and this browser build, if there is one. */
export interface SelfTestStateJson {
  readonly probe: ProbeJson;
  readonly last: SelfTestJson | null;
}

/** A line of `POST /_sampan/self-test`; the last one is `done`. */
export type SelfTestLine =
  | { readonly type: 'step'; readonly engine: string; readonly step: 'loading' | 'answering' }
  | { readonly type: 'engine'; readonly result: EngineTestJson }
  | { readonly type: 'done'; readonly result: SelfTestJson };
