/** How a person wants each model to run; kept by the model's id, so that it holds under all its names. */
import * as v from 'valibot';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { parseGoDuration } from '#lib/core/go-duration.ts';
import { Signal } from '#lib/core/observable.ts';
import type { CacheType, ModelSettingsJson } from '#lib/model/wire.ts';
import type { ModelSettingsStore } from '#lib/store/port.ts';

const cacheTypes = [
  'f32',
  'f16',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
] as const satisfies readonly CacheType[];

const between = (low: number, high: number) =>
  v.optional(v.pipe(v.number(), v.minValue(low), v.maxValue(high)));
const whole = (low: number, high: number) =>
  v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high)));

export const modelSettings = v.strictObject({
  context_size: whole(8, 1_048_576),
  keep_alive: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parseGoDuration(text) !== undefined, 'must be a duration like “5m”, “0” or “-1”'),
    ),
  ),
  mode: v.optional(v.picklist(['completion', 'embedding', 'reranking'])),
  gpu_layers: whole(0, 99_999),
  threads: whole(1, 64),
  cache_type_k: v.optional(v.picklist(cacheTypes)),
  cache_type_v: v.optional(v.picklist(cacheTypes)),
  flash_attention: v.optional(v.boolean()),
  parallel: whole(1, 16),
  ignore_fit: v.optional(v.boolean()),
  think: v.optional(v.boolean()),
  think_budget: whole(-1, 1_048_576),
  system_prompt: v.optional(v.pipe(v.string(), v.maxLength(100_000))),
  temperature: between(0, 2),
  top_p: between(0, 1),
  top_k: whole(0, 1_000_000),
  min_p: between(0, 1),
  repeat_penalty: between(0, 10),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  max_tokens: whole(1, 1_048_576),
  seed: v.optional(v.pipe(v.number(), v.safeInteger())),
});

/** Parses what a client sent or the store holds; throws `invalid_request` or `unsupported_parameter`, naming the field. */
export function parseSettings(value: unknown): ModelSettingsJson {
  if (Array.isArray(value))
    throw new ApiError('invalid_request', 'The settings must be an object.', { param: 'body' });
  const parsed = v.safeParse(modelSettings, value);
  if (parsed.success) return withoutAbsent(consistent(parsed.output));
  const [issue] = parsed.issues;
  const param = v.getDotPath(issue) ?? 'body';
  if (issue.type === 'strict_object') {
    throw new ApiError('unsupported_parameter', `There is no setting “${param}”.`, { param });
  }
  throw new ApiError('invalid_request', `“${param}”: ${issue.message}.`, { param });
}

function consistent(settings: v.InferOutput<typeof modelSettings>): v.InferOutput<typeof modelSettings> {
  const { cache_type_v: type = 'f16', flash_attention: flash } = settings;
  if (flash !== false || type.startsWith('f')) return settings;
  throw new ApiError(
    'invalid_request',
    'A quantized V cache needs flash attention. Turn that on, or set the V cache to f16.',
    { param: 'cache_type_v' },
  );
}

export class ModelSettings {
  readonly changed = new Signal();
  readonly #store: ModelSettingsStore;
  /** Every request asks. Only this runner writes them, so what was read holds until it writes. */
  readonly #known = new Map<Digest, Promise<ModelSettingsJson>>();

  constructor(store: ModelSettingsStore) {
    this.#store = store;
  }

  /** Empty when nothing was set, or by a version whose settings this one does not know. */
  get(id: Digest): Promise<ModelSettingsJson> {
    const known = this.#known.get(id) ?? this.#store.get(id).then(readStored);
    this.#known.set(id, known);
    known.catch(() => this.#known.delete(id));
    return known;
  }

  async list(): Promise<ReadonlyMap<Digest, ModelSettingsJson>> {
    const stored = await this.#store.list();
    return new Map([...stored].map(([id, value]) => [id, readStored(value)]));
  }

  /** Replaces all settings of the model, as Docker Model Runner does; resolves when they are durable. */
  async put(id: Digest, settings: ModelSettingsJson): Promise<void> {
    if (Object.keys(settings).length === 0) await this.#store.remove(id);
    else await this.#store.put(id, settings);
    this.#known.delete(id);
    this.changed.notify();
  }

  /** A new version of a model starts with the settings of the old one, unless it has its own. */
  async inherit(from: Digest, to: Digest): Promise<void> {
    const [old, own] = await Promise.all([this.get(from), this.get(to)]);
    if (Object.keys(own).length === 0 && Object.keys(old).length > 0) await this.put(to, old);
  }
}

function readStored(value: unknown): ModelSettingsJson {
  const parsed = v.safeParse(modelSettings, value ?? {});
  return parsed.success ? withoutAbsent(parsed.output) : {};
}

/** An optional key that is `undefined` is dropped: on the wire and in the store a setting is there or it is not. */
function withoutAbsent(settings: v.InferOutput<typeof modelSettings>): ModelSettingsJson {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
