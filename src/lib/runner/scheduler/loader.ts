/** Opens a model's files and hands them to the engine that runs such files. */
import { ApiError } from '#lib/core/errors.ts';
import type { Engine, EngineName, LoadableModel, LoadedModel } from '#lib/engine/port.ts';
import type { ModelRequest } from './request.ts';

export interface LoaderPorts {
  /** Which engine loads a model is decided by its files. */
  readonly engines: readonly Engine[];
}

export interface LoaderOptions {
  readonly signal: AbortSignal;
  /** Told as soon as the files say which engine it will be. */
  readonly opened: (engine: EngineName) => void;
}

/** Throws what opening and loading throw; leaves nothing behind then. */
export async function openAndLoad(
  { open, config, mode }: ModelRequest,
  { engines }: LoaderPorts,
  { signal, opened }: LoaderOptions,
): Promise<LoadedModel> {
  const loadable = await open();
  signal.throwIfAborted();
  const engine = engineFor(loadable, engines);
  opened(engine.name);
  return engine.load(loadable, { ...config, mode }, { signal });
}

function engineFor({ kind }: LoadableModel, engines: readonly Engine[]): Engine {
  const name: EngineName = kind === 'mlc' ? 'webllm' : 'llama.cpp';
  const engine = engines.find((each) => each.name === name);
  if (engine) return engine;
  throw new ApiError(
    'unsupported_model_format',
    `This model runs on ${name}, which is not part of this version.`,
  );
}
