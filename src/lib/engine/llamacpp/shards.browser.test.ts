/** A model in virtual shards answers as the whole file does: what files above 2 GB rely on, on a small one. */
import compatWasmUrl from '@wllama/wllama-compat/wasm/wllama.wasm?url';
import wasmUrl from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '#lib/engine/port.ts';
import { virtualShards } from '#lib/model/gguf-shards.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import prompts from '#tests/fixtures/prompts.json';
import tinyUrl from '#tests/fixtures/tiny.gguf?url';
import { LlamaCppEngine } from './engine.ts';

describe('a model in virtual shards', () => {
  let loaded: LoadedModel;
  let shards: readonly Blob[];

  beforeAll(async () => {
    const whole = await (await fetch(tinyUrl)).blob();
    shards = await virtualShards([whole], 300_000);
    const engine = new LlamaCppEngine({
      assets: {
        wasmUrl: new URL(wasmUrl, location.href).href,
        compatWasmUrl: new URL(compatWasmUrl, location.href).href,
        compatScript: async () => (await import('@wllama/wllama-compat/wasm/wllama.js?raw')).default,
      },
      hardware: () => Promise.resolve({ isolated: crossOriginIsolated, cores: 1, gpu: undefined }),
    });
    const model = { kind: 'gguf', id: `sha256:${'0'.repeat(64)}`, weights: shards } as const;
    loaded = await engine.load(model, { contextSize: 512 });
  }, 60_000);

  afterAll(() => loaded.close());

  async function answer(content: string): Promise<string> {
    const messages = [{ role: 'user', content }];
    const request = parseChatRequest({ model: 'x', temperature: 0, max_tokens: 200, messages });
    let text = '';
    for await (const event of loaded.chat(request, new AbortController().signal)) {
      if (event.type === 'text') text += event.text;
    }
    return text;
  }

  it('is in several', () => {
    expect(shards.length).toBeGreaterThanOrEqual(5);
  });

  it.each(prompts.filter((each) => each.finish_reason === 'stop').slice(0, 8))(
    'answers “$prompt” word for word',
    async ({ prompt, reply }) => {
      expect(await answer(prompt)).toBe(reply);
    },
  );
});
