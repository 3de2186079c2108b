/** One load of a model on one build of llama.cpp: it ends with the model, or leaves nothing behind. */
import type { LoadModelParams, Wllama } from '@wllama/wllama';
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { GgufModel, LoadConfig, LoadedModel } from '#lib/engine/port.ts';
import { fillTokensOf } from '#lib/model/fill-tokens.ts';
import { virtualShards } from '#lib/model/gguf-shards.ts';
import { createWllama, type LlamaCppAssets } from './builds.ts';
import { loadFault } from './faults.ts';
import { tokenTexts, type FileFacts } from './file-facts.ts';
import { watchOver, type Life } from './life.ts';
import { loadedConfig, loadParams } from './load-params.ts';
import { LlamaCppModel, type LlamaCppModelOptions } from './model.ts';
import { NativeLog, type NativeLine } from './native-log.ts';
import type { OwnBuild } from './own-builds.ts';
import { describePlan, type Plan } from './plan.ts';
import type { Locks } from './worker-watch.ts';

export interface LoadingPorts {
  readonly assets: LlamaCppAssets;
  readonly clock: Clock;
  readonly locks: Locks;
  readonly log: (line: NativeLine) => void;
  readonly loadTimeoutMs: number;
}

export interface LoadOrder {
  readonly model: GgufModel;
  readonly config: LoadConfig;
  readonly facts: FileFacts;
  readonly plan: Plan;
  readonly signal: AbortSignal | undefined;
  /** Instead of the package's build that is planned. */
  readonly own?: OwnBuild;
}

/** llama.cpp answered, and would not have the model: the build itself works. */
export class Rejected extends Error {}

/** Throws an `ApiError` whose cause is the engine's own failure, or the signal's reason. */
export async function loadModel(order: LoadOrder, ports: LoadingPorts): Promise<LoadedModel> {
  const { model, config, facts, plan, signal, own } = order;
  const inForce = loadedConfig(config, facts, plan);
  const files = { ...model, weights: await virtualShards(model.weights) };
  const params = loadParams(files, config, facts, inForce);
  const log = new NativeLog(ports.log);
  const wllama = await createWllama(own ?? plan.build, ports.assets, log);
  const life = watchOver(wllama, { locks: ports.locks, clock: ports.clock, log, isOwn: own !== undefined });
  try {
    signal?.throwIfAborted();
    await loadOrGiveUp({ wllama, files, params, life }, order, ports);
    assertLoaded(wllama);
  } catch (thrown) {
    await life.end();
    signal?.throwIfAborted();
    throw thrown instanceof ApiError ? thrown : loadFault(log.takeErrors(), thrown);
  }
  const device = describePlan(plan, own?.words);
  return new LlamaCppModel({
    wllama,
    inForce,
    device,
    log,
    ...life,
    hearsInThreads: !own,
    fillTokens: fillTokens(model, facts),
  });
}

interface Attempt {
  readonly wllama: Wllama;
  readonly files: GgufModel;
  readonly params: LoadModelParams;
  readonly life: Life;
}

/** What is fetched already starts within a second. */
const ownStartMs = 30_000;

/** wllama never settles when its wasm or worker cannot start, and has no other cancel than `exit`. */
function loadOrGiveUp(
  { wllama, files, params, life }: Attempt,
  { signal, own }: LoadOrder,
  { clock, loadTimeoutMs }: LoadingPorts,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timers = [clock.after(loadTimeoutMs, () => reject(loadingTimeout(loadTimeoutMs)))];
    if (own) {
      const cancel = clock.after(ownStartMs, () => reject(new Error('it does not start')));
      timers.push(cancel);
      void life.started.then(cancel);
    }
    const onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    void life.lost.then(reject);
    wllama
      .loadModel(filesOf(files), params)
      .then(resolve, reject)
      .finally(() => {
        for (const cancel of timers) cancel();
        signal?.removeEventListener('abort', onAbort);
      });
  });
}

/** wllama tells them apart: a projector by its content, adapters by their place behind the weights. */
function filesOf({ weights, adapters = [], projector }: GgufModel): Blob[] {
  return [...weights, ...adapters, ...(projector ? [projector] : [])];
}

function fillTokens({ weights }: GgufModel, { header }: FileFacts): LlamaCppModelOptions['fillTokens'] {
  let found: ReturnType<LlamaCppModelOptions['fillTokens']> | undefined;
  const find = async () =>
    fillTokensOf(header.metadata, weights[0] ? await tokenTexts(weights[0], header) : []);
  return () => (found ??= find());
}

/** `loadModel` resolves even when llama.cpp rejected the file. */
function assertLoaded(wllama: Wllama): void {
  const info = wllama.getLoadedContextInfo();
  const succeeded = 'success' in info && info.success === true;
  if (!succeeded || info.n_vocab === 0) throw new Rejected('llama.cpp rejected the model');
}

function loadingTimeout(ms: number): ApiError {
  return new ApiError('loading_timeout', `The model did not load within ${ms / 1000} seconds. Try again.`);
}
