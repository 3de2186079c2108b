/** The benchmark's way to a model: through the scheduler like every request, but loaded for it alone. */
import type { Engine } from '#lib/engine/port.ts';
import type { ModelSettings } from '#lib/runner/configure/settings.ts';
import { displayName, modelRequest, type ModelRequestPorts } from '#lib/runner/model-request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import type { BenchModels } from './port.ts';

export interface BenchModelsPorts extends ModelRequestPorts {
  readonly engines: readonly Engine[];
  readonly settings: ModelSettings;
  readonly scheduler: Scheduler;
  /** The name of the GPU, where there is one. */
  readonly adapter: () => Promise<string | undefined>;
}

export function benchModels(ports: BenchModelsPorts): BenchModels {
  const { library, engines, settings, scheduler, adapter } = ports;
  return {
    async identify(reference) {
      const model = await library.get(reference);
      const name = library.partsOf(model).artifact.engine;
      const engine = engines.find((each) => each.name === name);
      return {
        id: model.id,
        name: displayName(model),
        engine: (await engine?.describe()) ?? 'none',
        adapter: await adapter(),
      };
    },
    async withModel(reference, config, use, signal) {
      const model = await library.get(reference);
      const wanted = await modelRequest(ports, model, await settings.get(model.id));
      const trained = library.describe(model).config.context_size ?? Infinity;
      const contextSize = Math.min(trained, config.contextSize);
      // What is loaded already would hide what a cold start takes.
      await scheduler.free(model.id);
      const asked = { ...wanted, config: { ...wanted.config, ...config, contextSize }, keepAliveMs: 0 };
      const lease = await scheduler.acquire(asked, signal);
      try {
        return await use(lease.model);
      } finally {
        lease.release();
      }
    },
  };
}
