/** Docker Model Runner's view of engines: what runs, what is loaded, unload. */
import * as v from 'valibot';
import type { Engine } from '#lib/engine/port.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { RunnerJson } from '#lib/model/wire.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Scheduler } from '#lib/runner/scheduler.ts';
import { json } from './respond.ts';

export interface EnginePorts {
  readonly engines: readonly Engine[];
  readonly library: Library;
  readonly scheduler: Scheduler;
}

const unloadBody = v.object({
  all: v.optional(v.boolean(), false),
  backend: v.optional(v.string()),
  models: v.optional(v.array(v.string()), []),
});

export function engineRoutes({ engines, library, scheduler }: EnginePorts): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/engines/status',
      handle: async () => json(await statusOf(engines)),
    },
    { method: 'GET', pattern: '/engines/ps', handle: () => json(residents(scheduler)) },
    {
      method: 'POST',
      pattern: '/engines/unload',
      handle: async (call) => json({ unloaded_runners: await unload(call, { library, scheduler }) }),
    },
  ];
}

async function statusOf(engines: readonly Engine[]): Promise<Readonly<Record<string, string>>> {
  const entries = engines.map(
    async (engine) => [engine.name, `Running: ${await engine.describe()}`] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

export function residents(scheduler: Scheduler): readonly RunnerJson[] {
  const { resident } = scheduler;
  if (!resident) return [];
  const { engine, request, state, loaded, lastUsedMs, expiresAtMs } = resident;
  return [
    {
      backend_name: engine ?? 'llama.cpp',
      model_name: request.name,
      mode: 'completion',
      last_used: new Date(lastUsedMs).toISOString(),
      ...(state === 'busy' ? { in_use: true } : {}),
      ...(state === 'loading' ? { loading: true } : {}),
      model_id: request.id,
      context_size: request.config.contextSize,
      ...(loaded ? { device: loaded.device } : {}),
      ...(expiresAtMs === undefined ? {} : { expires_at: new Date(expiresAtMs).toISOString() }),
      ...(scheduler.queued > 0 ? { queued: scheduler.queued } : {}),
    },
  ];
}

async function unload(
  call: Call,
  { library, scheduler }: Pick<EnginePorts, 'library' | 'scheduler'>,
): Promise<number> {
  const parsed = v.safeParse(unloadBody, await call.json());
  if (!parsed.success) throw new ApiError('invalid_request', 'The body must hold “all” or “models”.');
  const { all, backend, models } = parsed.output;
  if (backend !== undefined && backend !== scheduler.resident?.engine) return 0;
  if (all) return scheduler.unload();
  const known = await Promise.all(models.map((name) => library.get(name).catch(() => undefined)));
  return scheduler.unload(new Set(known.flatMap((model) => (model ? [model.id] : []))));
}
