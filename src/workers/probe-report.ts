/** Everything about this browser that decides how models run in it, to show and to share. */
import { chooseThreads, type Hardware } from '#lib/engine/probe.ts';
import type { AdapterJson, ProbeJson } from '#lib/model/wire-self-test.ts';
import { usage } from '#lib/store/persistence.ts';

export interface ProbeReportOptions {
  readonly version: string;
  readonly hardware: Promise<Hardware>;
  readonly navigator: WorkerNavigator;
}

const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxStorageBuffersPerShaderStage',
] as const;

export async function probeReport(options: ProbeReportOptions): Promise<ProbeJson> {
  const { version, navigator } = options;
  const [hardware, storage, adapter] = await Promise.all([
    options.hardware,
    usage(navigator.storage),
    adapterOf(navigator),
  ]);
  return {
    version,
    user_agent: navigator.userAgent,
    isolated: hardware.isolated,
    cores: hardware.cores,
    threads: chooseThreads(hardware),
    jspi: 'Suspending' in WebAssembly,
    storage: { used_bytes: storage.usedBytes, quota_bytes: storage.quotaBytes, persisted: storage.persisted },
    adapter,
  };
}

async function adapterOf(navigator: WorkerNavigator): Promise<AdapterJson | null> {
  // Browsers without WebGPU leave it out.
  const gpu = 'gpu' in navigator ? navigator.gpu : undefined;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) return null;
  const { vendor, architecture, description } = adapter.info;
  return {
    vendor,
    architecture,
    description,
    f16: adapter.features.has('shader-f16'),
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  };
}
