/** The settings for all models: what a client may send, and what of a stored value can be trusted. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { parseGoDuration } from '#lib/core/go-duration.ts';
import { cpuBuilds, rungs, type SettingsJson } from '#lib/model/wire.ts';
import { defaultParallelPulls, maxParallelPulls } from '#lib/runner/pulls/pulls.ts';

export const defaultSettings: SettingsJson = {
  parallel_pulls: defaultParallelPulls,
  context_size: null,
  keep_alive: '5m',
  memory_limit_bytes: null,
  compute: 'auto',
  cpu_build: 'auto',
};

const whole = (low: number, high: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high));

const fields = {
  parallel_pulls: whole(1, maxParallelPulls),
  context_size: v.nullable(whole(8, 1_048_576)),
  keep_alive: v.pipe(
    v.string(),
    v.check((text) => parseGoDuration(text) !== undefined, 'must be a duration like “5m”, “0” or “-1”'),
  ),
  memory_limit_bytes: v.nullable(whole(2 ** 20, 2 ** 50)),
  compute: v.picklist(['auto', ...rungs]),
  cpu_build: v.picklist(['auto', ...cpuBuilds]),
};
export const settingsChange = v.strictObject({
  parallel_pulls: v.exactOptional(fields.parallel_pulls),
  context_size: v.exactOptional(fields.context_size),
  keep_alive: v.exactOptional(fields.keep_alive),
  memory_limit_bytes: v.exactOptional(fields.memory_limit_bytes),
  compute: v.exactOptional(fields.compute),
  cpu_build: v.exactOptional(fields.cpu_build),
  /** Of an answer of ours, which may be sent back as it came. */
  note: v.exactOptional(v.string()),
});

/** Of the keys that are there. Throws `invalid_request` or `unsupported_parameter`, naming the field. */
export function parseChange(value: unknown): Partial<SettingsJson> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError('invalid_request', 'The settings must be an object.', { param: 'body' });
  const parsed = v.safeParse(settingsChange, value);
  if (parsed.success) {
    const { note: _note, ...change } = parsed.output;
    return change;
  }
  const [issue] = parsed.issues;
  const param = v.getDotPath(issue) ?? 'body';
  if (issue.type === 'strict_object')
    throw new ApiError('unsupported_parameter', `There is no setting “${param}”.`, { param });
  throw new ApiError('invalid_request', `“${param}”: ${issue.message}.`, { param });
}

/** Each field by itself: one that cannot be trusted falls back to its default and spoils no other. */
export function readStored(value: unknown): SettingsJson {
  const stored = typeof value === 'object' && value !== null ? value : {};
  const { parallel_pulls, context_size, keep_alive, memory_limit_bytes, compute, cpu_build } = fields;
  return v.parse(
    v.object({
      parallel_pulls: v.fallback(parallel_pulls, defaultSettings.parallel_pulls),
      context_size: v.fallback(context_size, defaultSettings.context_size),
      keep_alive: v.fallback(keep_alive, defaultSettings.keep_alive),
      memory_limit_bytes: v.fallback(memory_limit_bytes, defaultSettings.memory_limit_bytes),
      compute: v.fallback(compute, defaultSettings.compute),
      cpu_build: v.fallback(cpu_build, defaultSettings.cpu_build),
    }),
    { ...defaultSettings, ...stored },
  );
}
