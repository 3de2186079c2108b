/** Whether requests are recorded, and how many are kept. */
import * as v from 'valibot';
import type { RequestSettingsJson } from '#lib/model/wire-requests.ts';

const mebibyte = 1024 * 1024;

export const defaultSettings: RequestSettingsJson = {
  recording: true,
  max_count: 10_000,
  max_bytes: 256 * mebibyte,
};

/** A part of the settings, as a client sends it. */
export const settingsPatch = v.strictObject({
  recording: v.exactOptional(v.boolean()),
  max_count: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(100_000))),
  max_bytes: v.exactOptional(
    v.pipe(v.number(), v.safeInteger(), v.minValue(mebibyte), v.maxValue(64 * 1024 * mebibyte)),
  ),
});

export type SettingsPatch = v.InferOutput<typeof settingsPatch>;

/** What cannot be read counts as never chosen. */
export function readSettings(value: unknown): RequestSettingsJson {
  const parsed = v.safeParse(settingsPatch, value);
  return { ...defaultSettings, ...(parsed.success ? parsed.output : {}) };
}
