/** The config of a model artifact in Docker's format v0.1: the facts that Docker Model Runner writes about a model. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';

export interface ModelConfig {
  /** `gguf`, `safetensors`, `dduf`; empty when the config does not say. */
  readonly format: string;
  readonly quantization: string;
  readonly parameters: string;
  readonly architecture: string;
  readonly size: string;
  readonly gguf?: Readonly<Record<string, string>> | undefined;
  readonly contextSize?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAtMs?: number | undefined;
}

export const maxConfigBytes = 16 * 1024 * 1024;

const text = v.optional(v.nullable(v.union([v.string(), v.pipe(v.number(), v.transform(String))])));
const contextSize = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What the code writes, and the draft of the specification, which names the time differently and adds fields. */
const schema = v.object({
  config: v.object({
    format: text,
    quantization: text,
    parameters: text,
    architecture: text,
    size: text,
    gguf: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
    context_size: v.fallback(v.optional(contextSize), undefined),
  }),
  descriptor: v.optional(v.nullable(v.object({ created: text, createdAt: text }))),
});

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseModelConfig(bytes: Uint8Array): ModelConfig {
  const parsed = v.safeParse(schema, parseJson(bytes));
  if (!parsed.success) throw notAConfig(v.summarize(parsed.issues));
  const { config, descriptor } = parsed.output;
  return {
    format: config.format ?? '',
    quantization: config.quantization ?? '',
    parameters: config.parameters ?? '',
    architecture: config.architecture ?? '',
    size: config.size ?? '',
    gguf: config.gguf ? strings(config.gguf) : undefined,
    contextSize: config.context_size,
    createdAtMs: parseTime(descriptor?.created ?? descriptor?.createdAt),
  };
}

/** Go writes nanoseconds, which `Date.parse` reads and cuts to milliseconds. */
function parseTime(value: string | null | undefined): number | undefined {
  const timeMs = Date.parse(value ?? '');
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function strings(record: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(record).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw notAConfig('it is not JSON, or it was cut short', cause);
  }
}

function notAConfig(why: string, cause?: unknown): ApiError {
  return new ApiError('unsupported_model_format', `The model's config cannot be read: ${why}.`, { cause });
}
