/** What the check of a model's correctness tells. */
import * as v from 'valibot';
import type { GateHistoryJson, GateLineJson, GateResultJson } from '#lib/model/wire-gate.ts';
import { digest } from '#lib/runner/endpoints/body.ts';
import { failedLine, number, whole, word } from './common.ts';

const gateResult: v.GenericSchema<GateResultJson> = v.object({
  id: word,
  date_ms: number,
  model: word,
  model_id: digest,
  engine: word,
  adapter: v.exactOptional(word),
  version: word,
  candidate: word,
  reference: word,
  positions: whole,
  agreed: whole,
  verdict: v.picklist(['agrees', 'close', 'differs']),
  detail: word,
  differences: v.array(v.object({ position: whole, after: word, candidate: word, reference: word })),
});

export const gateHistory: v.GenericSchema<GateHistoryJson> = v.object({ results: v.array(gateResult) });

export const gateLine: v.GenericSchema<GateLineJson> = v.variant('type', [
  v.object({
    type: v.literal('progress'),
    stage: v.picklist(['loading', 'candidate', 'reference']),
    done: whole,
    total: whole,
  }),
  v.object({ type: v.literal('done'), result: gateResult }),
  failedLine,
]);
