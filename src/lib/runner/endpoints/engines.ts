/** Docker Model Runner's view of engines: what runs, what is loaded, what it takes, unload. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { formatGoDuration } from '#lib/core/go-duration.ts';
import { runnerModes, type Engine } from '#lib/engine/port.ts';
import type { DiskUsageJson, RunnerJson } from '#lib/model/wire.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Resident } from '#lib/runner/scheduler/request.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import type { BlobStore } from '#lib/store/port.ts';
import { json } from './respond.ts';

export interface EnginePorts {
  readonly engines: readonly Engine[];
  readonly library: Library;
  readonly store: BlobStore;
  readonly scheduler: Scheduler;
  /** Bytes on disk of the engines themselves. */
  readonly engineBytes: () => Promise<number>;
}

/** `mode` is ours: Docker Model Runner unloads a model in all its modes. */
export const unloadBody = v.object({
  all: v.optional(v.boolean(), false),
  backend: v.nullish(v.string()),
  models: v.nullish(v.array(v.string())),
  mode: v.nullish(v.picklist(runnerModes)),
});

export function engineRoutes(ports: EnginePorts): readonly Route[] {
  const { engines, scheduler } = ports;
  return [
    { method: 'GET', pattern: '/engines/status', handle: async () => json(await statusOf(engines)) },
    { method: 'GET', pattern: '/engines/ps', handle: () => json(residents(scheduler)) },
    { method: 'GET', pattern: '/engines/df', handle: async () => json(await diskUsage(ports)) },
    {
      method: 'POST',
      pattern: '/engines/unload',
      handle: async (call) => json({ unloaded_runners: await unload(call, ports) }),
    },
  ];
}

export function residents(scheduler: Scheduler): readonly RunnerJson[] {
  return scheduler.residents.map((resident) => runnerOf(resident, scheduler.keepAliveMs));
}

function runnerOf(resident: Resident, keepAliveMs: number): RunnerJson {
  const { engine, request, state, active, queued, loaded, lastUsedMs, expiresAtMs, sizeBytes } = resident;
  return {
    backend_name: engine ?? 'llama.cpp',
    model_name: request.name,
    mode: request.mode,
    last_used: new Date(lastUsedMs).toISOString(),
    ...(state === 'busy' ? { in_use: true } : {}),
    ...(state === 'loading' ? { loading: true } : {}),
    keep_alive: formatGoDuration(request.keepAliveMs ?? keepAliveMs),
    model_id: request.id,
    context_size: loaded?.contextSize ?? request.config.contextSize,
    memory_bytes: sizeBytes,
    active,
    ...(loaded ? { device: loaded.device } : {}),
    ...(expiresAtMs === undefined ? {} : { expires_at: new Date(expiresAtMs).toISOString() }),
    ...(queued > 0 ? { queued } : {}),
  };
}

async function statusOf(engines: readonly Engine[]): Promise<Readonly<Record<string, string>>> {
  const entries = engines.map(
    async (engine) => [engine.name, `Running: ${await engine.describe()}`] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Bytes that models share are there once and counted once. */
async function diskUsage({ store, engineBytes }: EnginePorts): Promise<DiskUsageJson> {
  const [blobs, engines] = await Promise.all([store.list(), engineBytes()]);
  return {
    models_disk_usage: blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    default_backend_disk_usage: engines,
  };
}

/** A name that means nothing here is no error: what is not there is not loaded. */
async function unload(call: Call, { library, scheduler }: EnginePorts): Promise<number> {
  const body = await call.json();
  const parsed = v.safeParse(unloadBody, body);
  // To a schema without required keys a list is an object like any other.
  if (!parsed.success || Array.isArray(body))
    throw new ApiError('invalid_request', 'The body must hold “all” or “models”.');
  const { all } = parsed.output;
  const backend = parsed.output.backend || undefined;
  const mode = parsed.output.mode ?? undefined;
  const names = parsed.output.models ?? [];
  const models = await Promise.all(names.map((name) => library.get(name).catch(() => undefined)));
  const ids = new Set(models.map((model) => model?.id));
  return scheduler.unload(
    ({ engine, request }) =>
      (all || ids.has(request.id)) &&
      (backend === undefined || backend === engine) &&
      (mode === undefined || mode === request.mode),
  );
}
