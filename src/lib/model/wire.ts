/** What the management API puts on the wire: Docker Model Runner's shapes, then our own under `/_sampan`. */
import type { Digest } from '#lib/core/digest.ts';
import type { ErrorBody } from '#lib/core/errors.ts';
import type { Capabilities } from './capabilities.ts';

/** One entry of `GET /models`. */
export interface ModelJson {
  readonly id: Digest;
  /** Canonical references, e.g. `docker.io/ai/smollm2:latest`. */
  readonly tags: readonly string[];
  /** Unix seconds. */
  readonly created: number;
  readonly config: {
    readonly format: string;
    readonly quantization: string;
    readonly parameters: string;
    readonly architecture: string;
    readonly size: string;
    readonly gguf?: Readonly<Record<string, string>>;
    readonly context_size?: number;
  };
  /** Ours: bytes of all layers, for sums and sorting. */
  readonly size_bytes: number;
}

/** One entry of `GET /_sampan/models` and of the feed: what this browser knows of it besides. */
export interface LocalModelJson extends ModelJson {
  /** Bytes that no other model uses: what deleting it frees. */
  readonly own_bytes: number;
  /** Unix seconds of the last answer. */
  readonly last_used?: number;
  /** What runs it; absent when nothing here does, then `obstacle` says why. */
  readonly engine?: 'llama.cpp' | 'webllm';
  readonly obstacle?: string;
  /** Files that are missing from the browser's storage. */
  readonly missing_files?: number;
}

/** A layer of a stored model, or a file inside a tar layer. */
export interface FileJson {
  readonly path: string;
  /** What it is for, as `FileRole` of `artifact.ts`. */
  readonly role: string;
  readonly media_type: string;
  readonly digest: Digest;
  readonly size_bytes: number;
  readonly stored: boolean;
  /** First tags of other models that use the same bytes. */
  readonly shared_with: readonly string[];
}

/** `GET /_sampan/models/{ref}`; `?remote=true` asks the registry, before a byte of weights is fetched. */
export interface ModelDetailJson {
  readonly model: LocalModelJson;
  /** How it is packaged, for people: "Docker v0.1", "Docker v0.2", "CNCF ModelPack". */
  readonly packaging: string;
  readonly files: readonly FileJson[];
  /** The template in force and where it comes from. */
  readonly chat_template?: { readonly text: string; readonly from: 'artifact' | 'gguf' };
  /** Whole sentences on what the artifact has and is left aside here. */
  readonly notes: readonly string[];
  /** As stored, parsed. */
  readonly manifest: unknown;
  readonly config: unknown;
  readonly settings: ModelSettingsJson;
  /** What the loaded model runs with; absent while it is not loaded. */
  readonly in_force?: InForceJson;
  /** Read from its files; absent where they say nothing. */
  readonly capabilities?: Capabilities;
  /** With its settings, on this machine. */
  readonly fit?: FitJson;
}

export interface FitJson {
  readonly verdict: 'fits' | 'tight' | 'too-large';
  readonly need_bytes: number;
  /** Absent where the browser does not tell what there is. */
  readonly have_bytes?: number;
  /** For people. */
  readonly sentence: string;
  /** Tokens of context with which it would fit easily. */
  readonly fitting_context_size?: number;
}

/** `GET /_sampan/models/{ref}/metadata`: the GGUF header, every key. */
export interface MetadataJson {
  readonly entries: readonly {
    readonly key: string;
    /** `string`, `uint32`, `array of string` … */
    readonly type: string;
    /** The value or its beginning. */
    readonly value: string;
    /** Of an array. */
    readonly count?: number;
  }[];
}

/** How a person wants a model to run; what is absent is the engine's or the model's default. `PUT /_sampan/models/{ref}/settings`. */
export interface ModelSettingsJson {
  readonly context_size?: number;
  /** A Go duration: "5m", "0" unloads at once, "-1" never. */
  readonly keep_alive?: string;
  readonly mode?: 'completion' | 'embedding' | 'reranking';
  readonly gpu_layers?: number;
  readonly threads?: number;
  readonly cache_type_k?: CacheType;
  readonly cache_type_v?: CacheType;
  readonly flash_attention?: boolean;
  /** Requests answered at once. */
  readonly parallel?: number;
  /** Loads it even if it is too large by our estimate. */
  readonly ignore_fit?: boolean;
  readonly think?: boolean;
  /** Tokens of thinking; -1 is without limit. */
  readonly think_budget?: number;
  readonly system_prompt?: string;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repeat_penalty?: number;
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly max_tokens?: number;
  readonly seed?: number;
}

export type CacheType = 'f32' | 'f16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0';

export interface InForceJson {
  readonly context_size: number;
  readonly keep_alive: string;
  readonly gpu_layers: number;
  readonly threads: number;
  readonly cache_type_k: CacheType;
  readonly cache_type_v: CacheType;
  readonly flash_attention: boolean;
  readonly parallel: number;
  /** Settings were changed since: loading again applies them. */
  readonly outdated: boolean;
}

/** `POST /_sampan/blobs` (the body is the file) answers with one; it is kept for a package of this session. */
export interface BlobJson {
  readonly digest: Digest;
  readonly size_bytes: number;
}

/** A blob that was uploaded before, with its file name. */
export interface PackagedFileJson {
  readonly digest: Digest;
  readonly name: string;
}

/** A blob that was uploaded before, with its path inside the folder it is from. */
export interface FolderFileJson {
  readonly digest: Digest;
  readonly path: string;
}

/** `POST /_sampan/package`: a new model from files or from a stored model; answers with its `LocalModelJson`. */
export interface PackageRequestJson {
  /** The new name. */
  readonly target: string;
  readonly format: 'docker' | 'cncf';
  /** A stored model whose files are taken over; with it `weights` is absent. */
  readonly from?: string;
  /** GGUF files; several are shards in order. */
  readonly weights?: readonly PackagedFileJson[];
  /** The folder of an MLC model, in Docker's format only; with it `from` and `weights` are absent. */
  readonly files?: readonly FolderFileJson[];
  /** For `files` without a `.wasm`: the model, `hf.co/mlc-ai/…`, whose compiled library runs this one too. */
  readonly library_from?: string;
  /** `null` takes the one of `from` away. */
  readonly chat_template?: PackagedFileJson | null;
  readonly projector?: PackagedFileJson | null;
  readonly licenses?: readonly PackagedFileJson[];
  /** Docker only: ModelPack has no place for it. */
  readonly context_size?: number;
  /** Unix milliseconds, best those of the file: the same files and the same time make the same id. 0 when absent. */
  readonly created_ms?: number;
}

/** A line of `POST /_sampan/blobs` for who accepts `application/x-ndjson`; the last is `stored` or `error`. */
export type UploadJson =
  | { readonly type: 'progress'; readonly done_bytes: number; readonly total_bytes: number }
  | ({ readonly type: 'stored' } & BlobJson)
  | { readonly type: 'error'; readonly error: ErrorBody['error'] };

/** A line of `POST /_sampan/models/{ref}/repair`. */
export type RepairJson =
  | { readonly type: 'progress'; readonly checked_bytes: number; readonly total_bytes: number }
  | { readonly type: 'damaged'; readonly digest: Digest; readonly path: string; readonly missing: boolean }
  /** Damaged files are fetched again by the pull of that id, if there were any. */
  | { readonly type: 'done'; readonly damaged: number; readonly pull?: string }
  | { readonly type: 'error'; readonly error: ErrorBody['error'] };

/** `POST /_sampan/prune`: what no model and no pull needs is removed. */
export interface PruneJson {
  readonly removed_blobs: number;
  readonly freed_bytes: number;
}

/** One entry of `GET /engines/v1/models`. */
export interface OpenAiModelJson {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: 'docker';
  readonly dmr: {
    readonly context_window?: number;
    readonly architecture: string;
    readonly parameters: string;
    readonly quantization: string;
    readonly size: string;
  };
}

/** One entry of `GET /engines/ps`. */
export interface RunnerJson {
  readonly backend_name: string;
  /** As a person would type it: `ai/smollm2:135m-q4_1`. */
  readonly model_name: string;
  readonly mode: 'completion' | 'embedding' | 'reranking';
  /** RFC 3339. */
  readonly last_used: string;
  readonly in_use?: boolean;
  readonly loading?: boolean;
  readonly keep_alive?: string;
  /** Ours. */
  readonly model_id: Digest;
  readonly device?: string;
  readonly context_size?: number;
  /** Estimated memory of weights, cache and buffers. */
  readonly memory_bytes?: number;
  /** Requests that it answers. */
  readonly active?: number;
  /** RFC 3339, when an idle model will be unloaded. */
  readonly expires_at?: string;
  /** Requests that wait for it. */
  readonly queued?: number;
}

/** `GET /engines/df`: bytes on disk. */
export interface DiskUsageJson {
  /** What models share is counted once. */
  readonly models_disk_usage: number;
  readonly default_backend_disk_usage: number;
}

/** One line of `POST /models/create`. */
export interface ProgressJson {
  readonly type: 'progress' | 'success' | 'warning' | 'error';
  readonly message: string;
  readonly total: number;
  readonly layer: { readonly id?: string; readonly size: number; readonly current: number };
  readonly mode: 'pull' | 'push';
  /** Ours, on a line of type `error`: its code and what to change. */
  readonly error?: ErrorBody['error'];
}

export type PullStatus =
  | 'queued'
  | 'resolving'
  | 'pulling'
  | 'checking'
  | 'retrying'
  /** Waits for the machine's network. */
  | 'offline'
  /** Expands a compressed layer. */
  | 'unpacking'
  | 'paused'
  | 'failed'
  | 'done';

/** One entry of `GET /_sampan/pulls`. */
export interface PullJson {
  /** The canonical reference; it is the pull's name in `/_sampan/pulls/{id}`. */
  readonly id: string;
  readonly status: PullStatus;
  readonly received_bytes: number;
  /** 0 until the manifest is known. */
  readonly total_bytes: number;
  readonly bytes_per_second: number;
  readonly layers: readonly {
    readonly digest: Digest;
    readonly media_type: string;
    readonly size_bytes: number;
    readonly received_bytes: number;
  }[];
  readonly error?: ErrorBody['error'];
  /** The id of the model once it is stored. */
  readonly model_id?: Digest;
  /** Place in the queue, from 1; absent unless queued. */
  readonly position?: number;
}

/** What a pull may be told: `POST /_sampan/pulls/{id}/{verb}`; `anyway` stores what nothing here can run. */
export type PullVerb = 'pause' | 'resume' | 'first' | 'anyway';

/** `GET` and `PUT /_sampan/settings`. */
export interface SettingsJson {
  /** Pulls at once, 1 to 8. */
  readonly parallel_pulls: number;
  /** Tokens of context for models without a setting of their own; `null`: the app's default. */
  readonly context_size: number | null;
  /** A Go duration as in a model's settings, for models without one of their own. */
  readonly keep_alive: string;
  /** Memory that all models together may take; `null`: what the browser tells of the machine. */
  readonly memory_limit_bytes: number | null;
  /** `auto`, or the rung of the ladder that a person pinned. */
  readonly compute: 'auto' | Rung;
  /** `auto`, or the build of llama.cpp that a person pinned for the CPU. */
  readonly cpu_build: 'auto' | CpuBuild;
}

/** What models are computed with, from the fastest down. */
export const rungs = ['webgpu-f16', 'webgpu', 'wasm-threads', 'wasm'] as const;
export type Rung = (typeof rungs)[number];

/** Builds of llama.cpp for the CPU, from the fastest down: Sampan's with and without relaxed SIMD, and its package's. */
export const cpuBuilds = ['relaxed', 'simd', 'package'] as const;
export type CpuBuild = (typeof cpuBuilds)[number];

/** Which rung this machine stands on, and why. */
export interface ComputeJson {
  /** In force for models loaded from now on. */
  readonly rung: Rung;
  /** One clause for people: "the GPU has no shader-f16"; absent on the first rung of its own accord. */
  readonly reason?: string;
  readonly pinned: boolean;
  /** All of them, in order; one that this machine lacks says why. */
  readonly rungs: readonly { readonly rung: Rung; readonly available: boolean; readonly reason?: string }[];
  /** The build of llama.cpp that computes on the CPU, for people: "relaxed SIMD", "package, Asyncify, pinned". */
  readonly wasm_build: string;
  /** All of them, in order; one that this browser lacks says why. */
  readonly wasm_builds: readonly {
    readonly build: CpuBuild;
    readonly available: boolean;
    readonly reason?: string;
  }[];
}

/** The runner and the machine, for the status bar. `GET /_sampan/status`. */
export interface StatusJson {
  readonly version: string;
  readonly isolated: boolean;
  readonly threads: number;
  readonly gpu: { readonly name: string; readonly f16: boolean } | null;
  readonly compute: ComputeJson;
  readonly storage: {
    readonly used_bytes: number;
    readonly quota_bytes: number;
    readonly persisted: boolean;
  };
  /** Whether the companion's relay is there. */
  readonly relay: boolean;
}

/**
 * The server-sent events of `GET /_sampan/events`. Each carries the whole of its subject, never a difference, is sent
 * once on connect and then whenever the subject changes.
 */
export interface Feed {
  readonly status: StatusJson;
  readonly models: readonly LocalModelJson[];
  readonly pulls: readonly PullJson[];
  readonly runners: readonly RunnerJson[];
}

/** Static catalogue data: `static/catalog.json`. */
export interface CatalogEntryJson {
  readonly reference: string;
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly license: string;
  readonly quantization: string;
  readonly parameters: string;
  /** Download size. */
  readonly size_bytes: number;
  readonly context_size: number;
  readonly capabilities: readonly ('chat' | 'thinking' | 'tools' | 'vision' | 'embeddings')[];
}
