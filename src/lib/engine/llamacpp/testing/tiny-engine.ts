/** The real engine on the CPU and the tiny model, whole and changed, for tests in a browser. */
import compatWasmUrl from '@wllama/wllama-compat/wasm/wllama.wasm?url';
import wasmUrl from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import { LlamaCppEngine, type LlamaCppOptions } from '#lib/engine/llamacpp/engine.ts';
import type { GgufModel, LoadConfig, LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { CompletionRequest } from '#lib/openai/completion.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import rankerUrl from '#tests/fixtures/ranker.gguf?url';
import tinyUrl from '#tests/fixtures/tiny.gguf?url';
import { readGguf, writeGguf, type GgufParts } from './gguf-edit.ts';

const packageAssets: LlamaCppOptions['assets'] = {
  wasmUrl: new URL(wasmUrl, location.href).href,
  compatWasmUrl: new URL(compatWasmUrl, location.href).href,
  compatScript: async () => (await import('@wllama/wllama-compat/wasm/wllama.js?raw')).default,
};

/** Without our own builds. */
export function packageEngine(options: Partial<LlamaCppOptions> = {}): LlamaCppEngine {
  return makeEngine({ assets: packageAssets, ...options });
}

export function makeEngine(options: Partial<LlamaCppOptions> = {}): LlamaCppEngine {
  return new LlamaCppEngine({
    assets: { ...packageAssets, ownBuildsUrl: new URL('/engine/manifest.json', location.href).href },
    hardware: () => Promise.resolve({ isolated: crossOriginIsolated, cores: 1, gpu: undefined }),
    ...options,
  });
}

export async function tiny(fields: Partial<GgufModel> = {}): Promise<GgufModel> {
  const response = await fetch(tinyUrl);
  return { kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: [await response.blob()], ...fields };
}

/** A model with a head that ranks; `tests/fixtures/recipe/ranker.py` says which words it knows. */
export async function ranker(): Promise<GgufModel> {
  return tiny({ weights: [await (await fetch(rankerUrl)).blob()] });
}

/** The tiny model's file in parts, and a model of parts. */
export async function tinyParts(): Promise<GgufParts> {
  return readGguf(new Uint8Array(await (await fetch(tinyUrl)).arrayBuffer()));
}

export function modelOf(parts: GgufParts): Promise<GgufModel> {
  return tiny({ weights: [new Blob([writeGguf(parts)])] });
}

/** Prompts as the tiny model learned them, with tools and thinking in the form of Hermes and Qwen. */
export const toolTemplate = `{%- set described = tools | tojson if tools else '' -%}
{%- if messages[0]['role'] != 'system' -%}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif -%}
{%- for m in messages -%}
{%- if m.role == 'tool' -%}<|im_start|>user
<tool_response>
{{ m.content }}
</tool_response><|im_end|>
{% else -%}<|im_start|>{{ m.role }}
{% if m.reasoning_content -%}<think>
{{ m.reasoning_content }}
</think>

{% endif -%}
{{ m.content or '' }}
{%- for call in m.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor -%}<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}`;

export const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const;

export async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const gathered: ChatEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

export function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

export function finishOf(events: readonly ChatEvent[]): Extract<ChatEvent, { type: 'finish' }> {
  const finish = events.at(-1);
  if (finish?.type === 'finish') return finish;
  throw new Error('no finish event at the end');
}

/** For a machine that is busy with other tests. */
export const patience = { timeout: 60_000 };
export const never = new AbortController().signal;

export function ask(
  model: LoadedModel,
  content: string,
  fields: Partial<ChatRequest> = {},
): Promise<ChatEvent[]> {
  const messages = [{ role: 'user', content }];
  return gather(
    model.chat(parseChatRequest({ model: 'x', temperature: 0, max_tokens: 60, messages, ...fields }), never),
  );
}

export function complete(model: LoadedModel, fields: Partial<CompletionRequest>): Promise<ChatEvent[]> {
  const request = { model: 'x', temperature: 0, max_tokens: 4, prompt: '1, 2, 3', ...fields };
  return gather(model.complete(request, never));
}

export async function withModel<T>(
  model: GgufModel,
  config: Partial<LoadConfig>,
  use: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  const loaded = await makeEngine().load(model, { contextSize: 512, ...config });
  try {
    return await use(loaded);
  } finally {
    await loaded.close();
  }
}

export function reasoningOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'reasoning' ? event.text : '')).join('');
}
