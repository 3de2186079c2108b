/** Results of benchmarks and of checks of correctness, for tests. */
import type { BenchResultJson } from '#lib/model/wire-bench.ts';
import type { GateResultJson } from '#lib/model/wire-gate.ts';
import { digestOf } from './wire-samples.ts';

export function benchSample(n: number, changes: Partial<BenchResultJson> = {}): BenchResultJson {
  const figure = (mean: number) => ({ mean, sd: mean / 100, samples: [mean, mean] });
  return {
    id: `bench_${n}`,
    date_ms: Date.UTC(2026, 0, n, 12),
    model: 'ai/smollm2',
    model_id: digestOf(1),
    engine: 'llama.cpp b12211 (CPU, 4 threads)',
    device: 'CPU, 4 threads',
    version: '0.1.0',
    prompt: { tokens: 512, per_second: figure(200 + n) },
    generation: { tokens: 128, per_second: figure(20 + n) },
    first_token: { cold_ms: 1234, warm_ms: figure(56) },
    parallel: [1, 2, 4, 8].map((requests) => ({ requests, per_second: figure(20 * requests) })),
    ...changes,
  };
}

export function gateSample(changes: Partial<GateResultJson> = {}): GateResultJson {
  return {
    id: 'gate_1',
    date_ms: Date.UTC(2026, 0, 1, 12),
    model: 'ai/smollm2',
    model_id: digestOf(1),
    engine: 'llama.cpp b12211 (GPU, Radeon)',
    adapter: 'Radeon',
    version: '0.1.0',
    candidate: 'GPU, Radeon',
    reference: 'CPU, 4 threads',
    positions: 320,
    agreed: 318,
    verdict: 'agrees',
    detail: 'GPU and CPU agree at 318 of 320 positions. The model computes correctly.',
    differences: [{ position: 7, after: 'The harbour lay', candidate: ' still', reference: '' }],
    ...changes,
  };
}
