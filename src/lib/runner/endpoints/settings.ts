/** The settings for all models: read, changed in part, and applied to what is loaded. */
import { ApiError } from '#lib/core/errors.ts';
import type { ComputeJson, SettingsJson, StatusJson } from '#lib/model/wire.ts';
import { parseChange } from '#lib/runner/preferences/parse.ts';
import type { Preferences } from '#lib/runner/preferences/preferences.ts';
import { meansOf, type AskLadder } from '#lib/runner/preferences/rung.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Scheduler } from '#lib/runner/scheduler/scheduler.ts';
import { json } from './respond.ts';

export interface SettingsPorts {
  readonly preferences: Preferences;
  readonly ladder: AskLadder;
  readonly status: () => Promise<Pick<StatusJson, 'compute'>>;
  readonly scheduler: Scheduler;
  /** Told after a change of what models are computed with. */
  readonly onMeans: () => Promise<void>;
}

const pattern = '/_sampan/settings';

export function settingsRoutes(ports: SettingsPorts): readonly Route[] {
  return [
    { method: 'GET', pattern, handle: () => json(ports.preferences.current) },
    { method: 'PUT', pattern, handle: (call) => change(call, ports) },
  ];
}

async function change(call: Call, ports: SettingsPorts): Promise<Response> {
  const { preferences, ladder, status, scheduler, onMeans } = ports;
  const wanted = parseChange(await call.json());
  if (wanted.compute !== undefined) await requireRung(wanted.compute, ladder);
  if (wanted.cpu_build !== undefined) requireBuild(wanted.cpu_build, (await status()).compute);
  const before = preferences.current;
  await preferences.change(wanted);
  const { current } = preferences;
  if (current.compute === before.compute && current.cpu_build === before.cpu_build) {
    scheduler.refresh();
    return json(current);
  }
  await onMeans();
  const means = await meansOf(ladder, current);
  scheduler.refresh(({ request }) => request.means !== means);
  const note = noteOn(scheduler);
  return json({ ...current, ...(note !== undefined && { note }) });
}

/** Throws `invalid_request` for a rung that this machine lacks. */
async function requireRung(wish: SettingsJson['compute'], ladder: AskLadder): Promise<void> {
  const { rungs } = await ladder('auto');
  const missing = rungs.find(({ rung, available }) => rung === wish && !available);
  if (!missing) return;
  throw new ApiError(
    'invalid_request',
    `Models cannot be computed on “${missing.rung}” here: ${missing.reason ?? 'this machine lacks it'}. Choose “auto” or one that GET /_sampan/status lists as available.`,
    { param: 'compute' },
  );
}

/** Throws `invalid_request` for a build that this browser cannot run. */
function requireBuild(wish: SettingsJson['cpu_build'], { wasm_builds: builds }: ComputeJson): void {
  const missing = builds.find(({ build, available }) => build === wish && !available);
  if (!missing) return;
  throw new ApiError(
    'invalid_request',
    `llama.cpp’s build “${missing.build}” cannot be used here: ${missing.reason ?? 'this browser lacks what it needs'}. Choose “auto” or one that GET /_sampan/status lists as available.`,
    { param: 'cpu_build' },
  );
}

/** Models that stay a while with what they were loaded with; idle ones have gone by now. */
function noteOn(scheduler: Scheduler): string | undefined {
  const busy = scheduler.residents.filter(({ retired }) => retired).map(({ request }) => request.name);
  if (busy.length === 0) return undefined;
  return `It holds for models that are loaded from now on. ${busy.join(', ')} will be unloaded when idle.`;
}
