/** One error class for everything that fails: thrown where the fact is known, translated once at each edge. */

type ErrorType =
  'invalid_request_error' | 'authentication_error' | 'permission_error' | 'rate_limit_error' | 'server_error';

interface ErrorKind {
  readonly status: number;
  readonly type: ErrorType;
  readonly retryable: boolean;
}

const invalid: ErrorKind = { status: 400, type: 'invalid_request_error', retryable: false };
const missing: ErrorKind = { status: 404, type: 'invalid_request_error', retryable: false };
const upstream: ErrorKind = { status: 502, type: 'server_error', retryable: true };
const unavailable: ErrorKind = { status: 503, type: 'server_error', retryable: false };
const passing: ErrorKind = { status: 503, type: 'server_error', retryable: true };

const kinds = {
  invalid_request: invalid,
  invalid_reference: invalid,
  unsupported_model_format: invalid,
  unsupported_parameter: invalid,
  context_length_exceeded: invalid,
  unauthorized: { status: 401, type: 'authentication_error', retryable: false },
  forbidden_origin: { status: 403, type: 'permission_error', retryable: false },
  model_not_found: missing,
  route_not_found: missing,
  method_not_allowed: { status: 405, type: 'invalid_request_error', retryable: false },
  conflict: { status: 409, type: 'invalid_request_error', retryable: false },
  request_too_large: { status: 413, type: 'invalid_request_error', retryable: false },
  rate_limited: { status: 429, type: 'rate_limit_error', retryable: true },
  registry_unreachable: upstream,
  digest_mismatch: upstream,
  insufficient_memory: unavailable,
  engine_unavailable: unavailable,
  no_host: passing,
  host_lost: passing,
  host_stalled: passing,
  device_lost: passing,
  loading_timeout: passing,
  /** Cannot exist in a browser, or in this build of an engine; the message says why. */
  not_supported: { status: 501, type: 'invalid_request_error', retryable: false },
  storage_full: { status: 507, type: 'server_error', retryable: false },
  /** A result, not a failure: 499 is what proxies log for a client that left. */
  aborted: { status: 499, type: 'invalid_request_error', retryable: false },
  internal: { status: 500, type: 'server_error', retryable: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof kinds;

/** The OpenAI-shaped body of every error response. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ErrorType;
    readonly param: string | null;
    readonly code: ErrorCode;
  };
}

export interface ApiErrorOptions {
  /** The request field that is at fault, as the client wrote it. */
  readonly param?: string;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly param: string | undefined;

  /** `message` is one sentence or two that a person can act on; no secret and no prompt ever enters it. */
  constructor(code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param;
  }

  get status(): number {
    return kinds[this.code].status;
  }

  get retryable(): boolean {
    return kinds[this.code].retryable;
  }

  toJSON(): ErrorBody {
    const { type } = kinds[this.code];
    return { error: { message: this.message, type, param: this.param ?? null, code: this.code } };
  }

  toResponse(headers: Readonly<Record<string, string>> = {}): Response {
    return new Response(JSON.stringify(this), {
      status: this.status,
      headers: { 'content-type': 'application/json', 'x-should-retry': String(this.retryable), ...headers },
    });
  }
}

/** Whatever was thrown, as an `ApiError`: aborts become `aborted`, a full disk `storage_full`, the rest `internal`. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof Error) {
    if (thrown.name === 'AbortError')
      return new ApiError('aborted', 'The request was cancelled.', { cause: thrown });
    if (thrown.name === 'QuotaExceededError') return storageFull(thrown);
  }
  return new ApiError('internal', 'Something went wrong inside Sampan. Try again; the log has the details.', {
    cause: thrown,
  });
}

export function storageFull(cause?: unknown): ApiError {
  return new ApiError(
    'storage_full',
    'The browser has no space left for this model. Delete a model or free disk space, then resume.',
    { cause },
  );
}

/** Reads the body of an error response; anything else than our shape becomes an error by its status. */
export function errorFromBody(body: unknown, status: number): ApiError {
  if (isErrorBody(body)) {
    const { code, message, param } = body.error;
    return new ApiError(code, message, param === null ? {} : { param });
  }
  const code = status === 404 ? 'route_not_found' : 'internal';
  return new ApiError(code, `The answer was HTTP ${status} without an explanation. Try again.`);
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error))
    return false;
  return typeof error.code === 'string' && error.code in kinds && typeof error.message === 'string';
}
