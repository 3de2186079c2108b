/** The config of a model artifact: the facts that its packager wrote about it, in any of the three formats. */
import * as v from 'valibot';
import { isDigest, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';

export interface ModelConfig {
  /** `gguf`, `safetensors`, `dduf`, `mlc`; empty when the config does not say. */
  readonly format: string;
  readonly quantization: string;
  readonly parameters: string;
  readonly architecture: string;
  /** Empty in ModelPack, which has no such field. */
  readonly size: string;
  readonly gguf?: Readonly<Record<string, string>> | undefined;
  readonly contextSize?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAtMs?: number | undefined;
  /** Digest of each layer once unpacked, by its place; `undefined` for what is no sha256. Empty when not listed. */
  readonly diffIds: readonly (Digest | undefined)[];
  /** What only ModelPack says; present when the config is one. */
  readonly modelPack?: ModelPackFacts | undefined;
}

export interface ModelPackFacts {
  readonly name?: string | undefined;
  readonly family?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly version?: string | undefined;
  readonly vendor?: string | undefined;
  readonly sourceUrl?: string | undefined;
  readonly precision?: string | undefined;
  readonly licenses: readonly string[];
}

export const maxConfigBytes = 16 * 1024 * 1024;

const text = v.optional(v.nullable(v.union([v.string(), v.pipe(v.number(), v.transform(String))])));
/** For what is shown and never relied on: another type is as good as nothing. */
const remark = v.fallback(v.optional(v.string()), undefined);
const remarks = v.fallback(v.optional(v.array(v.string())), undefined);
const layerIds = v.fallback(v.optional(v.array(v.string())), undefined);
const contextSize = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What the code writes, and the draft of the specification, which names the time differently and adds fields. */
const schema = v.object({
  config: v.object({
    format: text,
    quantization: text,
    parameters: text,
    paramSize: text,
    precision: remark,
    architecture: text,
    size: text,
    gguf: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
    context_size: v.fallback(v.optional(contextSize), undefined),
  }),
  descriptor: v.optional(
    v.nullable(
      v.object({
        created: text,
        createdAt: text,
        name: remark,
        family: remark,
        title: remark,
        description: remark,
        version: remark,
        vendor: remark,
        sourceURL: remark,
        licenses: remarks,
      }),
    ),
  ),
  rootfs: v.fallback(v.optional(v.nullable(v.object({ diff_ids: layerIds }))), undefined),
  modelfs: v.fallback(v.optional(v.nullable(v.object({ diffIds: layerIds }))), undefined),
  files: v.optional(v.unknown()),
});

type Document = v.InferOutput<typeof schema>;

/** Parses untrusted bytes; throws `unsupported_model_format`. */
export function parseModelConfig(bytes: Uint8Array): ModelConfig {
  const parsed = v.safeParse(schema, parseJson(bytes), { abortEarly: true });
  if (!parsed.success) throw notAConfig(explain(parsed.issues[0]));
  const document = parsed.output;
  const { config, descriptor } = document;
  return {
    format: config.format ?? '',
    quantization: config.quantization ?? '',
    parameters: config.parameters ?? config.paramSize ?? '',
    architecture: config.architecture ?? '',
    size: config.size ?? '',
    gguf: config.gguf ? strings(config.gguf) : undefined,
    // Whatever a ModelPack config has under this name, no other program would go by it.
    contextSize: isModelPack(document) ? undefined : config.context_size,
    createdAtMs: parseTime(descriptor?.created ?? descriptor?.createdAt),
    diffIds: (document.rootfs?.diff_ids ?? document.modelfs?.diffIds ?? []).map((id) =>
      isDigest(id) ? id : undefined,
    ),
    modelPack: isModelPack(document) ? modelPackFacts(document) : undefined,
  };
}

/** Docker Model Runner's rule; `files` is the draft of Docker's own format, which has a `createdAt` too. */
function isModelPack({ config, descriptor, modelfs, files }: Document): boolean {
  if (modelfs || isThere(config.paramSize)) return true;
  return isThere(descriptor?.createdAt) && files === undefined;
}

function isThere(value: string | null | undefined): boolean {
  return value !== undefined && value !== null;
}

function modelPackFacts({ config, descriptor }: Document): ModelPackFacts {
  return {
    name: descriptor?.name,
    family: descriptor?.family,
    title: descriptor?.title,
    description: descriptor?.description,
    version: descriptor?.version,
    vendor: descriptor?.vendor,
    sourceUrl: descriptor?.sourceURL,
    precision: config.precision,
    licenses: descriptor?.licenses ?? [],
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

function explain(issue: v.InferIssue<typeof schema>): string {
  return `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`;
}

function notAConfig(why: string, cause?: unknown): ApiError {
  return new ApiError('unsupported_model_format', `The model's config cannot be read: ${why}.`, { cause });
}
