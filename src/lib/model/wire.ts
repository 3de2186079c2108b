/** What the management API puts on the wire: Docker Model Runner's shapes, then our own under `/_sampan`. */
import type { Digest } from '#lib/core/digest.ts';
import type { ErrorBody } from '#lib/core/errors.ts';

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
  readonly mode: 'completion';
  /** RFC 3339. */
  readonly last_used: string;
  readonly in_use?: boolean;
  readonly loading?: boolean;
  readonly keep_alive?: string;
  /** Ours. */
  readonly model_id: Digest;
  readonly device?: string;
  readonly context_size?: number;
  /** RFC 3339, when an idle model will be unloaded. */
  readonly expires_at?: string;
  /** Requests waiting behind the running one. */
  readonly queued?: number;
}

/** One line of `POST /models/create`. */
export interface ProgressJson {
  readonly type: 'progress' | 'success' | 'warning' | 'error';
  readonly message: string;
  readonly total: number;
  readonly layer: { readonly id?: string; readonly size: number; readonly current: number };
  readonly mode: 'pull' | 'push';
}

export type PullStatus =
  'queued' | 'resolving' | 'pulling' | 'checking' | 'retrying' | 'paused' | 'failed' | 'done';

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
}

/** The runner and the machine, for the status bar. `GET /_sampan/status`. */
export interface StatusJson {
  readonly version: string;
  readonly isolated: boolean;
  readonly threads: number;
  readonly gpu: { readonly name: string; readonly f16: boolean } | null;
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
  readonly models: readonly ModelJson[];
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
