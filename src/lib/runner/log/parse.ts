/** Log lines that come from the disk, perhaps of another version. */
import * as v from 'valibot';
import { logLevels, type LogLineJson } from '#lib/model/wire-requests.ts';

const line = v.object({
  number: v.pipe(v.number(), v.safeInteger()),
  time_ms: v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15)),
  level: v.picklist(logLevels),
  source: v.picklist(['service', 'engine']),
  component: v.string(),
  message: v.string(),
  fields: v.exactOptional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
});

/** What cannot be read is left out. */
export function parseLines(value: unknown): readonly LogLineJson[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const parsed = v.safeParse(line, each);
    return parsed.success ? [parsed.output] : [];
  });
}
