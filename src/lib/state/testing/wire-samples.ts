/** What the runner would send, for tests: whole wire values with the fields that matter given. */
import type { Digest } from '#lib/core/digest.ts';
import type { LocalModelJson, ModelDetailJson, PullJson, RunnerJson } from '#lib/model/wire.ts';
import type { ChatChunk } from '#lib/openai/chat.ts';

export function digestOf(n: number): Digest {
  return `sha256:${String(n).padStart(64, '0')}`;
}

export function modelSample(n: number, ...tags: string[]): LocalModelJson {
  return {
    id: digestOf(n),
    tags,
    created: 1_790_000_000 + n,
    size_bytes: 270_000_000,
    own_bytes: 270_000_000,
    engine: 'llama.cpp',
    config: {
      format: 'gguf',
      quantization: 'Q4_K_M',
      parameters: `${n}.00M`,
      architecture: 'llama',
      size: '257.49MiB',
      context_size: 8192,
    },
  };
}

export function detailSample(changes: Partial<ModelDetailJson> = {}): ModelDetailJson {
  return {
    model: modelSample(1, 'docker.io/ai/smollm2:latest'),
    packaging: 'Docker v0.1',
    files: [],
    notes: [],
    manifest: { schemaVersion: 2 },
    config: { config: { format: 'gguf' } },
    settings: {},
    ...changes,
  };
}

export function runnerSample(n: number, changes: Partial<RunnerJson> = {}): RunnerJson {
  return {
    backend_name: 'llama.cpp',
    model_name: 'ai/smollm2:360M-Q4_K_M',
    mode: 'completion',
    last_used: '2026-11-24T12:00:00Z',
    model_id: digestOf(n),
    ...changes,
  };
}

export function pullSample(changes: Partial<PullJson> = {}): PullJson {
  return {
    id: 'docker.io/ai/smollm2:360M-Q4_K_M',
    status: 'pulling',
    received_bytes: 175_000_000,
    total_bytes: 270_000_000,
    bytes_per_second: 10_000_000,
    layers: [],
    ...changes,
  };
}

export function chunkSample(
  delta: ChatChunk['choices'][number]['delta'],
  rest: Partial<ChatChunk> = {},
): ChatChunk {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'ai/smollm2',
    system_fingerprint: 'sampan',
    choices: [{ index: 0, delta, finish_reason: null }],
    ...rest,
  };
}
