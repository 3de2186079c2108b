/** Results that are kept as one list: what another version wrote in another form is left out. */
import * as v from 'valibot';
import type { BenchHistory } from './port.ts';

export async function storedResults<S extends v.GenericSchema>(
  store: BenchHistory,
  schema: S,
): Promise<readonly v.InferOutput<S>[]> {
  const stored = await store.load();
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((each: unknown) => {
    const parsed = v.safeParse(schema, each);
    return parsed.success ? [parsed.output] : [];
  });
}
