/**
 * Whether a model computes correctly on this machine's fastest device: it reads a fixed text there and on the CPU, and
 * the token that each holds for the likeliest after every word is compared. Both read the same text whatever they would
 * have said, so that one near tie does not make all that follows differ.
 */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LoadConfig, LoadedModel } from '#lib/engine/port.ts';
import type { GateLineJson, GateResultJson, GateStage } from '#lib/model/wire-gate.ts';
import type { BenchModels } from '#lib/runner/bench/port.ts';
import { agreementOf, detailOf } from './agreement.ts';
import { predictions, type Prediction } from './predictions.ts';
import { beginnings } from './text.ts';

interface GateOptions {
  readonly models: BenchModels;
  readonly clock: Clock;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly tell: (line: Extract<GateLineJson, { type: 'progress' }>) => void;
}

/** The cache is the same on both, for it is the kernels that are compared. */
const common: LoadConfig = { contextSize: 1024, cacheTypeK: 'f16', cacheTypeV: 'f16' };
/** Whatever the settings of the model say: it is the GPU that is asked about. */
const fastest: LoadConfig = { ...common, gpuLayers: undefined, threads: undefined };

interface Reading {
  readonly device: string;
  readonly tokens: readonly Prediction[];
}

/** Rejects with the signal's reason when aborted, and with what loading and answering throw. */
export async function runGate(reference: string, options: GateOptions): Promise<Omit<GateResultJson, 'id'>> {
  const { models, clock, version, signal, tell } = options;
  const { id, name, engine, adapter } = await models.identify(reference);
  const wordCount = beginnings().length;
  let total = 2 * wordCount;
  const step = (stage: GateStage, done: number) => tell({ type: 'progress', stage, done, total });

  step('loading', 0);
  const candidate = await models.withModel(
    reference,
    fastest,
    async (model) => ({
      other: otherWay(model),
      onGpu: model.inForce.gpuLayers > 0,
      ...(await read(model, wordCount, signal, (done) => step('candidate', done))),
    }),
    signal,
  );
  const count = candidate.tokens.length;
  total = 2 * count;
  step('loading', count);
  const held = await models.withModel(
    reference,
    candidate.other,
    (model) => read(model, count, signal, (done) => step('reference', count + done)),
    signal,
  );
  const agreement = agreementOf(candidate.tokens, held.tokens);
  const devices = { candidate: candidate.device, reference: held.device };
  return {
    date_ms: clock.now(),
    model: name,
    model_id: id,
    engine,
    ...(adapter !== undefined && { adapter }),
    version,
    ...devices,
    ...agreement,
    detail: detailOf(agreement, { ...devices, onGpu: candidate.onGpu }),
  };
}

/** Throws `engine_unavailable` where the machine has one way only. */
function otherWay({ inForce }: LoadedModel): LoadConfig {
  if (inForce.gpuLayers > 0) return { ...common, gpuLayers: 0, threads: undefined };
  if (inForce.threads > 1) return { ...common, gpuLayers: 0, threads: 1 };
  throw new ApiError(
    'engine_unavailable',
    'llama.cpp computes this model without a GPU and with one thread here, so there is nothing to compare. The check needs WebGPU with shader-f16, or several threads.',
  );
}

async function read(
  model: LoadedModel,
  limit: number,
  signal: AbortSignal,
  tell: (done: number) => void,
): Promise<Reading> {
  const tokens: Prediction[] = [];
  for await (const token of predictions(model, signal)) {
    tokens.push(token);
    tell(tokens.length);
    if (tokens.length === limit) break;
  }
  return { device: model.device, tokens };
}
