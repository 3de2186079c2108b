import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '#lib/core/clock.ts';
import type { LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import { describeEngine } from '#tests/contract/engine.ts';
import prompts from '#tests/fixtures/prompts.json';
import type { NativeLine } from './native-log.ts';
import { makeEngine, ranker, tiny, toolTemplate, weatherTool } from './testing/tiny-engine.ts';

const lines: NativeLine[] = [];

const garbage = {
  kind: 'gguf',
  id: `sha256:${'1'.repeat(64)}`,
  weights: [new Blob(['GGUF but not really'])],
} as const;

describeEngine('llama.cpp', async () => ({
  engine: makeEngine(),
  model: await tiny({ chatTemplate: toolTemplate }),
  garbage,
  longPrompt: 'Count to 10.',
  stop: { text: ', 4', before: '1, 2, 3' },
  contextSize: 512,
  completion: {
    prompt: '<|im_start|>user\nCount to 5.<|im_end|>\n<|im_start|>assistant\n',
    stop: { text: ', 4', before: '1, 2, 3' },
  },
  can: ['logprobs', 'completion-logprobs', 'schema'],
  tools: { messages: [{ role: 'user', content: 'What is the weather in Paris?' }], tools: [weatherTool] },
  parallel: ['Count to 5.', 'Who are you?'],
  embedding: { model: await tiny(), texts: ['Hello!', 'Count to 5.'] },
  ranking: {
    model: await ranker(),
    query: 'bread and cheese',
    documents: ['the harbour of a ship', 'bake butter', 'a star and the moon'],
    best: 1,
  },
}));

describe('llama.cpp', () => {
  let loaded: LoadedModel;

  beforeAll(async () => {
    loaded = await makeEngine({ log: (line) => lines.push(line) }).load(await tiny(), { contextSize: 2048 });
  }, 60_000);

  afterAll(() => loaded.close());

  async function answer(
    content: string,
    fields: object = {},
  ): Promise<{ text: string; promptTokens: number }> {
    const request = parseChatRequest({
      model: 'x',
      temperature: 0,
      max_tokens: 200,
      messages: [{ role: 'user', content }],
      ...fields,
    });
    let [text, promptTokens] = ['', 0];
    for await (const event of loaded.chat(request, new AbortController().signal)) {
      if (event.type === 'text') text += event.text;
      if (event.type === 'finish') promptTokens = event.usage.promptTokens;
    }
    return { text, promptTokens };
  }

  it.each(prompts.filter((each) => each.finish_reason === 'stop'))(
    'answers “$prompt” word for word, with the model’s own template',
    async ({ prompt, reply, prompt_tokens: promptTokens }) => {
      expect(await answer(prompt)).toMatchObject({ text: reply, promptTokens });
    },
  );

  it('removes the stop text and everything after it', async () => {
    expect((await answer('Count to 10.', { stop: ', 4' })).text).toBe('1, 2, 3');
  });

  it('gives the same sample for the same seed', async () => {
    const sampled = { temperature: 2, top_p: 1, top_k: 0, seed: 7, max_tokens: 12 };
    const once = (await answer('Tell me a story.', sampled)).text;
    expect((await answer('Tell me a story.', sampled)).text).toBe(once);
  });

  it('keeps the engine’s own log lines', () => {
    expect(lines.some((line) => line.text.includes('KV buffer size'))).toBe(true);
  });

  it('gives up a load that takes too long, with loading_timeout', async () => {
    const impatient: Clock = {
      now: () => 0,
      after: (_, callback) => {
        queueMicrotask(callback);
        return () => undefined;
      },
    };
    const loading = makeEngine({ clock: impatient }).load(await tiny(), { contextSize: 64 });
    await expect(loading).rejects.toMatchObject({ code: 'loading_timeout' });
  });
});
