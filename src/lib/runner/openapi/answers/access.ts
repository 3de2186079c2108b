/** What the user has decided about pages of other origins. */
import * as v from 'valibot';
import type { GrantJson } from '#lib/model/wire-access.ts';
import { number, whole, word } from './common.ts';

export const grant: v.GenericSchema<GrantJson> = v.object({
  origin: word,
  decision: v.picklist(['always', 'never']),
  models: v.union([v.literal('all'), v.array(word)]),
  created_ms: number,
  last_used_ms: v.exactOptional(number),
  requests: whole,
});
