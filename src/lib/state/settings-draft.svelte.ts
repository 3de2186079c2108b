/** A model's settings as they are typed: text in every field, empty where the default holds, and what the runner says of each. */
import * as v from 'valibot';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { ModelSettingsJson } from '#lib/model/wire.ts';

export const cacheTypes = ['f32', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'] as const;
export const modes = ['completion', 'embedding', 'reranking'] as const;

/** "12,288" and "12 288" are numbers too. */
const number = v.exactOptional(
  v.pipe(
    v.string(),
    v.transform((text) => Number(text.replace(/[,\s]/g, ''))),
    v.number('Type a number, or leave it empty for the default.'),
  ),
);
const choice = v.exactOptional(
  v.pipe(
    v.picklist(['on', 'off']),
    v.transform((text) => text === 'on'),
  ),
);
const cacheType = v.exactOptional(v.picklist(cacheTypes));

const settings = v.object({
  context_size: number,
  keep_alive: v.exactOptional(v.string()),
  mode: v.exactOptional(v.picklist(modes)),
  gpu_layers: number,
  threads: number,
  cache_type_k: cacheType,
  cache_type_v: cacheType,
  flash_attention: choice,
  parallel: number,
  ignore_fit: choice,
  think: choice,
  think_budget: number,
  system_prompt: v.exactOptional(v.string()),
  temperature: number,
  top_p: number,
  top_k: number,
  min_p: number,
  repeat_penalty: number,
  presence_penalty: number,
  frequency_penalty: number,
  max_tokens: number,
  seed: number,
});

export type SettingKey = keyof v.InferInput<typeof settings>;

const keys = v.keyof(settings).options;

export class SettingsDraft {
  readonly #values: Record<SettingKey, string>;
  #error = $state.raw<ApiError>();

  constructor(saved: ModelSettingsJson) {
    this.#values = $state(texts(saved));
  }

  /** To be bound to the fields. */
  get values(): Record<SettingKey, string> {
    return this.#values;
  }

  /** What is wrong with a field, in words. */
  errorOf(key: SettingKey): string | undefined {
    return this.#error && fieldOf(this.#error) === key ? this.#error.message : undefined;
  }

  /** What went wrong and belongs to no field. */
  get error(): string | undefined {
    return this.#error && fieldOf(this.#error) === undefined ? this.#error.message : undefined;
  }

  /** Back to the defaults; nothing is saved by that. */
  clear(): void {
    Object.assign(this.#values, texts({}));
    this.#error = undefined;
  }

  /** Hands what was typed to `save`; resolves with whether it was taken. What is wrong then stands at its field. */
  async save(save: (settings: ModelSettingsJson) => Promise<void>): Promise<boolean> {
    this.#error = undefined;
    try {
      await save(this.#read());
      return true;
    } catch (thrown) {
      this.#error = toApiError(thrown);
      return false;
    }
  }

  #read(): ModelSettingsJson {
    const typed = Object.entries(this.#values).filter(([, text]) => text.trim() !== '');
    const parsed = v.safeParse(settings, Object.fromEntries(typed));
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw new ApiError('invalid_request', issue.message, { param: String(issue.path?.[0]?.key) });
  }
}

/** The API may name a field in its own spelling: `context-size`. */
function fieldOf({ param }: ApiError): SettingKey | undefined {
  const name = param?.replaceAll('-', '_');
  return keys.find((key) => key === name);
}

function texts(saved: ModelSettingsJson): Record<SettingKey, string> {
  const text = (key: SettingKey) => textOf(saved[key]);
  return {
    context_size: text('context_size'),
    keep_alive: text('keep_alive'),
    mode: text('mode'),
    gpu_layers: text('gpu_layers'),
    threads: text('threads'),
    cache_type_k: text('cache_type_k'),
    cache_type_v: text('cache_type_v'),
    flash_attention: text('flash_attention'),
    parallel: text('parallel'),
    ignore_fit: text('ignore_fit'),
    think: text('think'),
    think_budget: text('think_budget'),
    system_prompt: text('system_prompt'),
    temperature: text('temperature'),
    top_p: text('top_p'),
    top_k: text('top_k'),
    min_p: text('min_p'),
    repeat_penalty: text('repeat_penalty'),
    presence_penalty: text('presence_penalty'),
    frequency_penalty: text('frequency_penalty'),
    max_tokens: text('max_tokens'),
    seed: text('seed'),
  };
}

function textOf(value: string | number | boolean | undefined): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === undefined ? '' : String(value);
}
