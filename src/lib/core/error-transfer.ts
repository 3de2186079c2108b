/**
 * Errors across workers. Comlink keeps only name, message and stack; without this, error codes die at the worker
 * boundary. Both sides install it.
 */
import { transferHandlers, type TransferHandler } from 'comlink';
import { ApiError, toApiError, type ErrorCode } from './errors.ts';

/** What Comlink hands to its `throw` handler. */
interface Thrown {
  readonly value: unknown;
}

interface ThrownWire {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | undefined;
  /** Text, for the log: a cause need not be cloneable. */
  readonly cause: string | undefined;
}

/** Idempotent. */
export function installErrorTransfer(): void {
  transferHandlers.set('throw', errorTransfer);
}

/** Only Comlink knows how it marks what was thrown. */
const original = transferHandlers.get('throw');

const errorTransfer: TransferHandler<Thrown, ThrownWire> = {
  canHandle: (value): value is Thrown => original?.canHandle(value) ?? false,
  serialize({ value }) {
    const { code, message, param, cause } = toApiError(value);
    return [{ code, message, param, cause: describe(cause) }, []];
  },
  deserialize({ code, message, param, cause }) {
    throw new ApiError(code, message, param === undefined ? { cause } : { cause, param });
  },
};

function describe(cause: unknown): string | undefined {
  if (cause instanceof Error) return cause.stack ?? `${cause.name}: ${cause.message}`;
  return typeof cause === 'string' ? cause : undefined;
}
