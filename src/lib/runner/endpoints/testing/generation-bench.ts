/** The paths on which a model answers, with a model that is stored and a test's word on what it can. */
import { ScriptedEngine, type ScriptedOptions } from '#lib/engine/scripted.ts';
import type { RunnerMode } from '#lib/engine/port.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { Capabilities } from '#lib/model/capabilities.ts';
import { ModelSettings } from '#lib/runner/configure/settings.ts';
import { generationRoutes } from '#lib/runner/endpoints/generation-routes.ts';
import { Library } from '#lib/runner/library/library.ts';
import { Recorder } from '#lib/runner/recorder/recorder.ts';
import { Router } from '#lib/runner/router.ts';
import { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import { MemoryRequests } from '#lib/store/memory/requests.ts';
import { bytesOf, makeBench } from '#tests/support/runner-bench.ts';

const noMemory = { weightsBytes: 0, cacheBytes: 0, computeBytes: 0, totalBytes: 0 };

export const modelName = 'localhost:5000/ai/tiny:latest';

export interface GenerationBenchOptions extends ScriptedOptions {
  readonly can?: Partial<Capabilities>;
}

const writer: Capabilities = {
  chat: true,
  tools: true,
  vision: false,
  audio: false,
  embedding: false,
  rerank: false,
  reasoning: false,
  fim: false,
};

export async function makeGenerationBench({ can, ...scripted }: GenerationBenchOptions = {}) {
  const base = makeBench();
  const { index, store, settings, clock, registry } = base;
  await registry.publish(modelName, [bytesOf('GGUF')]);
  await (await base.call('/models/create', { from: modelName })).text();
  const failures: unknown[] = [];
  const onError = (thrown: unknown) => failures.push(thrown);
  const modes: (RunnerMode | undefined)[] = [];
  const engine = new ScriptedEngine(scripted);
  const scheduler = new Scheduler({
    clock,
    engines: [
      {
        name: engine.name,
        describe: () => engine.describe(),
        load: (model, config, options) => {
          modes.push(config.mode);
          return engine.load(model, config, options);
        },
      },
    ],
  });
  const memory = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
  const recorder = new Recorder({
    store: new MemoryRequests(),
    settings: memory,
    clock,
    random: () => 0.5,
    onError,
  });
  await recorder.start();
  const router = new Router([
    ...generationRoutes({
      library: new Library(index, store),
      settings: new ModelSettings(settings),
      scheduler,
      clock,
      recorder,
      onError,
      machine: () => Promise.resolve({ device: 'cpu', wasmHeapBytes: 2 ** 32 }),
      insights: {
        of: () => Promise.resolve({ capabilities: { ...writer, ...can }, memory: () => noMemory }),
      },
    }),
  ]);
  const call = async (path: string, body: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(`http://localhost${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      ...init,
    });
    return router.handle(request).catch((thrown: unknown) => toApiError(thrown).toResponse());
  };
  return { call, clock, engine, index, recorder, failures, modes };
}
