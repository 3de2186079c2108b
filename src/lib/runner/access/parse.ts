/** Grants as they come from outside: a wish of a settings page, and the list that was kept. */
import * as v from 'valibot';
import { originEntry } from '#lib/core/origin.ts';
import type { GrantJson, GrantWish } from '#lib/model/wire-access.ts';

const origin = v.pipe(
  v.string(),
  v.maxLength(300),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return originEntry(dataset.value);
    } catch (thrown) {
      addIssue({ message: thrown instanceof Error ? thrown.message : 'no origin' });
      return NEVER;
    }
  }),
);
const wish = {
  origin,
  decision: v.picklist(['always', 'never']),
  models: v.union([
    v.literal('all'),
    v.pipe(v.array(v.pipe(v.string(), v.maxLength(500))), v.maxLength(1000)),
  ]),
};
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Body of `PUT /_sampan/grants`. */
export const grantWish = v.pipe(
  v.strictObject(wish),
  v.check(
    ({ origin, decision }) => origin !== '*' || decision !== 'never',
    'Every origin without a grant is refused anyway; * can only be allowed',
  ),
  v.transform((parsed): GrantWish => parsed),
);

const kept = v.object({ ...wish, created_ms: count, last_used_ms: v.optional(count), requests: count });

/** Entries that are damaged are left out: such a page is asked about again. */
export function parseGrants(stored: unknown): GrantJson[] {
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((entry: unknown) => {
    const result = v.safeParse(kept, entry);
    if (!result.success) return [];
    const { last_used_ms: lastUsedMs, ...grant } = result.output;
    return [lastUsedMs === undefined ? grant : { ...grant, last_used_ms: lastUsedMs }];
  });
}
