/** What the runner tells of itself: engines, loaded models, pulls, settings, benchmarks, the check of the device. */
import * as v from 'valibot';
import type { BenchHistoryJson, BenchLineJson, BenchResultJson, FigureJson } from '#lib/model/wire-bench.ts';
import type {
  EngineTestJson,
  ProbeJson,
  SelfTestJson,
  SelfTestLine,
  SelfTestStateJson,
} from '#lib/model/wire-self-test.ts';
import {
  cpuBuilds,
  rungs,
  type ComputeJson,
  type DiskUsageJson,
  type PullJson,
  type RunnerJson,
  type SettingsJson,
  type StatusJson,
} from '#lib/model/wire.ts';
import { digest } from '#lib/runner/endpoints/body.ts';
import { error, failedLine, number, whole, word, words, yes } from './common.ts';

export const engineStatus = words;

export const version = v.object({ version: word });

export const unloaded = v.object({ unloaded_runners: whole });

export const runner: v.GenericSchema<RunnerJson> = v.object({
  backend_name: word,
  model_name: word,
  mode: v.picklist(['completion', 'embedding', 'reranking']),
  last_used: word,
  in_use: v.exactOptional(yes),
  loading: v.exactOptional(yes),
  keep_alive: v.exactOptional(word),
  model_id: digest,
  device: v.exactOptional(word),
  context_size: v.exactOptional(whole),
  memory_bytes: v.exactOptional(number),
  active: v.exactOptional(whole),
  expires_at: v.exactOptional(word),
  queued: v.exactOptional(whole),
});

export const runners = v.array(runner);

export const diskUsage: v.GenericSchema<DiskUsageJson> = v.object({
  models_disk_usage: whole,
  default_backend_disk_usage: whole,
});

const storage = v.object({ used_bytes: whole, quota_bytes: whole, persisted: yes });

const rung = v.picklist(rungs);

const compute: v.GenericSchema<ComputeJson> = v.object({
  rung,
  reason: v.exactOptional(word),
  pinned: yes,
  rungs: v.array(v.object({ rung, available: yes, reason: v.exactOptional(word) })),
  wasm_build: word,
  wasm_builds: v.array(
    v.object({ build: v.picklist(cpuBuilds), available: yes, reason: v.exactOptional(word) }),
  ),
});

export const status: v.GenericSchema<StatusJson> = v.object({
  version: word,
  isolated: yes,
  threads: whole,
  gpu: v.nullable(v.object({ name: word, f16: yes })),
  compute,
  storage,
  relay: yes,
});

export const pull: v.GenericSchema<PullJson> = v.object({
  id: word,
  status: v.picklist([
    'queued',
    'resolving',
    'pulling',
    'checking',
    'retrying',
    'offline',
    'unpacking',
    'paused',
    'failed',
    'done',
  ]),
  received_bytes: whole,
  total_bytes: whole,
  bytes_per_second: number,
  layers: v.array(v.object({ digest, media_type: word, size_bytes: whole, received_bytes: whole })),
  error: v.exactOptional(error),
  model_id: v.exactOptional(digest),
  position: v.exactOptional(whole),
});

export const pulls = v.array(pull);

export const settings: v.GenericSchema<SettingsJson> = v.object({
  parallel_pulls: whole,
  context_size: v.nullable(whole),
  keep_alive: word,
  memory_limit_bytes: v.nullable(whole),
  compute: v.picklist(['auto', ...rungs]),
  cpu_build: v.picklist(['auto', ...cpuBuilds]),
  /** Of a change: what it does not do at once. */
  note: v.exactOptional(word),
});

const figure: v.GenericSchema<FigureJson> = v.object({ mean: number, sd: number, samples: v.array(number) });

const speed = v.object({ tokens: whole, per_second: figure });

const benchResult: v.GenericSchema<BenchResultJson> = v.object({
  id: word,
  date_ms: number,
  model: word,
  model_id: digest,
  engine: word,
  device: word,
  adapter: v.exactOptional(word),
  version: word,
  prompt: speed,
  generation: speed,
  first_token: v.object({ cold_ms: number, warm_ms: figure }),
  parallel: v.array(v.object({ requests: whole, per_second: figure })),
});

export const benchHistory: v.GenericSchema<BenchHistoryJson> = v.object({ results: v.array(benchResult) });

export const benchLine: v.GenericSchema<BenchLineJson> = v.variant('type', [
  v.object({
    type: v.literal('progress'),
    stage: v.picklist(['loading', 'warm-up', 'prompt', 'generation', 'first-token', 'parallel']),
    done: whole,
    total: whole,
  }),
  v.object({ type: v.literal('done'), result: benchResult }),
  failedLine,
]);

const probe: v.GenericSchema<ProbeJson> = v.object({
  version: word,
  user_agent: word,
  isolated: yes,
  cores: whole,
  threads: whole,
  jspi: yes,
  storage,
  adapter: v.nullable(
    v.object({
      vendor: word,
      architecture: word,
      description: word,
      f16: yes,
      features: v.array(word),
      limits: v.record(v.string(), number),
    }),
  ),
});

const engineTest: v.GenericSchema<EngineTestJson> = v.object({
  engine: word,
  verdict: v.picklist(['correct', 'wrong', 'failed', 'unavailable']),
  device: v.exactOptional(word),
  load_ms: v.exactOptional(number),
  tokens_per_second: v.exactOptional(number),
  detail: v.exactOptional(word),
});

const selfTest: v.GenericSchema<SelfTestJson> = v.object({ time_ms: number, engines: v.array(engineTest) });

export const selfTestState: v.GenericSchema<SelfTestStateJson> = v.object({
  probe,
  last: v.nullable(selfTest),
});

export const selfTestLine: v.GenericSchema<SelfTestLine> = v.variant('type', [
  v.object({ type: v.literal('step'), engine: word, step: v.picklist(['loading', 'answering']) }),
  v.object({ type: v.literal('engine'), result: engineTest }),
  v.object({ type: v.literal('done'), result: selfTest }),
]);
