/** Composition root of the daemon. Its name is the engine id that the host page gave it. */
import compatWasmUrl from '@wllama/wllama-compat/wasm/wllama.wasm?url';
import wasmUrl from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import { serveRequests } from '#lib/bridge/serve.ts';
import { linkToCompanion } from '#lib/bridge/socket/link.ts';
import { opfsSpool } from '#lib/bridge/socket/spool.ts';
import { systemClock } from '#lib/core/clock.ts';
import { heldTo, ladderOf } from '#lib/engine/ladder.ts';
import { LlamaCppEngine } from '#lib/engine/llamacpp/engine.ts';
import { WebLlmEngine } from '#lib/engine/webllm/engine.ts';
import { probeHardware } from '#lib/engine/probe.ts';
import { HuggingFaceRegistry } from '#lib/registry/huggingface/client.ts';
import { mlcListSource } from '#lib/registry/huggingface/mlc-list-source.ts';
import { OciRegistry } from '#lib/registry/oci/client.ts';
import { Registries } from '#lib/registry/registries.ts';
import { Preferences } from '#lib/runner/preferences/preferences.ts';
import { Runner } from '#lib/runner/runner.ts';
import { IdbModelIndex } from '#lib/store/idb/model-index.ts';
import { IdbLogLines } from '#lib/store/idb/log-lines.ts';
import { IdbModelSettings } from '#lib/store/idb/model-settings.ts';
import { ProgressStore } from '#lib/store/idb/progress.ts';
import { IdbRequests } from '#lib/store/idb/requests.ts';
import { IdbSettings } from '#lib/store/idb/settings.ts';
import { OpfsBlobStore } from '#lib/store/opfs/blob-store.ts';
import { sweep } from '#lib/store/opfs/sweep.ts';
import { browserNetwork } from './browser-network.ts';
import { consoleLog } from './console-log.ts';
import { engineBytes } from './engine-bytes.ts';
import { machineFor, memoryBudget } from './machine-memory.ts';
import { machineStatus } from './machine-status.ts';
import { probeReport } from './probe-report.ts';
import { routeStore } from './route-store.ts';
import { selfTestModel } from './self-test-models.ts';

declare const self: DedicatedWorkerGlobalScope;

const { host: ownHost, origin: ownOrigin, href } = self.location;
const fetch = self.fetch.bind(self);
const clock = systemClock;
const settings = new IdbSettings();
const probed = probeHardware(self);
const preferences = new Preferences({
  load: () => settings.get('runner', (value) => value),
  save: (wanted) => settings.set('runner', wanted),
});
const hardware = async () => heldTo(await probed, preferences.current.compute);
const memory = () => {
  const limitBytes = preferences.current.memory_limit_bytes;
  return { limitBytes, budgetBytes: limitBytes ?? memoryBudget(self.navigator) };
};
const llamaCpp: LlamaCppEngine = new LlamaCppEngine({
  assets: {
    wasmUrl: new URL(wasmUrl, href).href,
    compatWasmUrl: new URL(compatWasmUrl, href).href,
    compatScript: async () => (await import('@wllama/wllama-compat/wasm/wllama.js?raw')).default,
    ownBuildsUrl: new URL('/engine/manifest.json', ownOrigin).href,
  },
  hardware,
  cpuBuild: () => preferences.current.cpu_build,
  log: (line) => runner.engineLine('llama.cpp', line),
});

const disk = {
  root: await navigator.storage.getDirectory(),
  locks: navigator.locks,
  progress: new ProgressStore(),
  clock,
};
await sweep(disk);

const runner: Runner = new Runner({
  version: __SAMPAN_VERSION__,
  clock,
  store: new OpfsBlobStore({
    ...disk,
    createWorker: () =>
      new Worker(new URL('./blob.worker.ts', import.meta.url), { type: 'module', name: 'blob' }),
    createHashWorker: () =>
      new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module', name: 'hash' }),
  }),
  index: new IdbModelIndex(),
  modelSettings: new IdbModelSettings(),
  network: browserNetwork(self),
  registry: new Registries({
    oci: new OciRegistry({ fetch, clock, ownHost, ownOrigin, routes: routeStore(settings) }),
    huggingFace: new HuggingFaceRegistry({
      fetch,
      clock,
      mlcList: mlcListSource({ fetch, clock, url: new URL('/mlc-models.json', ownOrigin) }),
    }),
  }),
  engines: [
    llamaCpp,
    new WebLlmEngine({
      createWorker: () =>
        new Worker(new URL('./webllm.worker.ts', import.meta.url), { type: 'module', name: 'webllm' }),
      locks: navigator.locks,
      hardware,
    }),
  ],
  pullRecords: {
    load: () => settings.get('pulls', (value) => value),
    save: (records) => settings.set('pulls', records),
  },
  requests: new IdbRequests(),
  requestSettings: {
    load: () => settings.get('request-recording', (value) => value),
    save: (wanted) => settings.set('request-recording', wanted),
  },
  logLines: new IdbLogLines(),
  preferences,
  ladder: async (wish) => ladderOf(await probed, wish),
  machine: async (engine) => machineFor(engine, await hardware(), memory()),
  memoryBudgetBytes: () => memory().budgetBytes,
  engineBytes: () => engineBytes(self.caches),
  status: () =>
    machineStatus({
      version: __SAMPAN_VERSION__,
      hardware: probed,
      compute: preferences.current.compute,
      cpuBuilds: async () => ({
        wasm_build: await llamaCpp.wasmBuild(),
        wasm_builds: await llamaCpp.wasmBuilds(),
      }),
      fetch,
      storage: navigator.storage,
    }),
  statusChanged: llamaCpp.wasmBuildChanged,
  benchHistory: {
    load: () => settings.get('bench', (value) => value),
    save: (results) => settings.set('bench', results),
  },
  gateHistory: {
    load: () => settings.get('gate', (value) => value),
    save: (results) => settings.set('gate', results),
  },
  selfTest: {
    model: selfTestModel(fetch),
    probe: () => probeReport({ version: __SAMPAN_VERSION__, hardware: probed, navigator: self.navigator }),
    results: {
      load: () => settings.get('self-test', (value) => value),
      save: (results) => settings.set('self-test', results),
    },
  },
  grants: {
    load: () => settings.get('grants', (value) => value),
    save: (grants) => settings.set('grants', grants),
  },
  onError: consoleLog.failure,
  echo: consoleLog.line,
});

await runner.start();
await serveRequests({ engineId: self.name, handle: runner.handle, worker: self });
await linkToCompanion({
  origin: ownOrigin,
  handle: runner.handle,
  spool: await opfsSpool(disk.root),
  fetch,
  openSocket: (url, subprotocols) => new WebSocket(url, subprotocols),
  clock,
  random: Math.random,
  locks: navigator.locks,
  origins: { rules: () => runner.grants.rules(), changed: runner.grants.changed },
  // As long as this worker lives: it is ended as a whole.
  signal: new AbortController().signal,
});
