import { expect, it } from 'vitest';
import { modelOf, never, tiny, tinyParts, withModel } from '#lib/engine/llamacpp/testing/tiny-engine.ts';
import type { GgufModel, LoadedModel } from '#lib/engine/port.ts';
import { agreementOf } from './agreement.ts';
import { predictions, type Prediction } from './predictions.ts';

const config = { contextSize: 64 };

async function read(loaded: LoadedModel): Promise<readonly Prediction[]> {
  const tokens: Prediction[] = [];
  for await (const token of predictions(loaded, never)) tokens.push(token);
  return tokens;
}

/** The same file with a matrix turned round: what a GPU does that computes wrongly. */
async function faulty(): Promise<GgufModel> {
  const parts = await tinyParts();
  const tensors = parts.tensors.map((tensor) =>
    tensor.name.endsWith('ffn_down.weight') ? { ...tensor, data: tensor.data.toReversed() } : tensor,
  );
  return modelOf({ ...parts, tensors });
}

it('a real model agrees with itself at every word, and not with one that computes wrongly', async () => {
  const [first, again] = await withModel(await tiny(), config, async (loaded) => {
    return [await read(loaded), await read(loaded)] as const;
  });
  const wrong = await withModel(await faulty(), config, read);
  expect(first.length).toBeGreaterThan(5);
  expect(new Set(first).size).toBeGreaterThan(3);
  expect(agreementOf(again, first)).toMatchObject({ verdict: 'agrees', agreed: first.length });
  expect(agreementOf(wrong, first).verdict).toBe('differs');
}, 60_000);
