/** What the status bar says about this browser and this server. */
import { heldTo, ladderOf } from '#lib/engine/ladder.ts';
import { chooseThreads, type Hardware } from '#lib/engine/probe.ts';
import type { ComputeJson, SettingsJson, StatusJson } from '#lib/model/wire.ts';
import { usage } from '#lib/store/persistence.ts';

export interface MachineStatusOptions {
  readonly version: string;
  /** As it was found, not as it is held. */
  readonly hardware: Promise<Hardware>;
  readonly compute: SettingsJson['compute'];
  readonly cpuBuilds: () => Promise<Pick<ComputeJson, 'wasm_build' | 'wasm_builds'>>;
  readonly fetch: typeof fetch;
  readonly storage: StorageManager;
}

export async function machineStatus(options: MachineStatusOptions): Promise<StatusJson> {
  const [hardware, cpuBuilds, storage, relay] = await Promise.all([
    options.hardware,
    options.cpuBuilds(),
    usage(options.storage),
    hasRelay(options.fetch),
  ]);
  return {
    version: options.version,
    isolated: hardware.isolated,
    threads: chooseThreads(heldTo(hardware, options.compute)),
    gpu: hardware.gpu ? { name: hardware.gpu.name, f16: hardware.gpu.f16 } : null,
    compute: { ...ladderOf(hardware, options.compute), ...cpuBuilds },
    storage: { used_bytes: storage.usedBytes, quota_bytes: storage.quotaBytes, persisted: storage.persisted },
    relay,
  };
}

/** A static host answers the path with a page or a 404; being offline counts as no relay. */
async function hasRelay(fetch: MachineStatusOptions['fetch']): Promise<boolean> {
  try {
    const response = await fetch('/_relay/', { headers: { 'x-sampan-relay': '1' }, cache: 'no-store' });
    return response.status === 204;
  } catch {
    return false;
  }
}
