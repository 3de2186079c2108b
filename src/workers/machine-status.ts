/** What the status bar says about this browser and this server. */
import { chooseThreads, type Hardware } from '#lib/engine/probe.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import { usage } from '#lib/store/persistence.ts';

export interface MachineStatusOptions {
  readonly version: string;
  readonly hardware: Promise<Hardware>;
  readonly fetch: typeof fetch;
  readonly storage: StorageManager;
}

export async function machineStatus(options: MachineStatusOptions): Promise<StatusJson> {
  const [hardware, storage, relay] = await Promise.all([
    options.hardware,
    usage(options.storage),
    hasRelay(options.fetch),
  ]);
  return {
    version: options.version,
    isolated: hardware.isolated,
    threads: chooseThreads(hardware),
    gpu: hardware.gpu ? { name: hardware.gpu.name, f16: hardware.gpu.f16 } : null,
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
