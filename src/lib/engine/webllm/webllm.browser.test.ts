import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { LoadedModel, MlcModel } from '#lib/engine/port.ts';
import { probeHardware } from '#lib/engine/probe.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { describeEngine, type EngineCase } from '#tests/contract/engine.ts';
import prompts from '#tests/fixtures/prompts.json';
import WebLlmWorker from '#workers/webllm.worker.ts?worker';
import { WebLlmEngine } from './engine.ts';
import { json } from './testing/mlc-files.ts';
import FragileWorker from './testing/fragile.worker.ts?worker';

const urls = import.meta.glob<string>('/tests/fixtures/tiny-mlc/*', {
  query: '?url',
  import: 'default',
  eager: true,
});
const id = `sha256:${'0'.repeat(64)}` as const;
/** A software GPU on a busy machine compiles the shaders of a load in 5 to 60 s. */
const patience = { timeout: 180_000 };
/**
 * On a software GPU a load costs seconds of every core and a token a tenth, so each run of the tests takes the faults of
 * files here and one whole answer in tests/interop/mlc.spec.ts; `npm run test:real` takes all.
 */
const thorough = import.meta.env.SAMPAN_REAL === '1';
const asked = prompts.filter(
  ({ finish_reason: reason, prompt }) => reason === 'stop' && prompt !== 'Count to 30.',
);

async function tiny(changes: Readonly<Record<string, Blob | undefined>> = {}): Promise<MlcModel> {
  const files = new Map<string, Blob>();
  for (const [path, url] of Object.entries(urls)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    files.set(name, await (await fetch(url)).blob());
  }
  for (const [name, blob] of Object.entries(changes)) {
    if (blob) files.set(name, blob);
    else files.delete(name);
  }
  return { kind: 'mlc', id, files };
}

function makeEngine(createWorker: () => Worker = () => new WebLlmWorker()): WebLlmEngine {
  return new WebLlmEngine({ createWorker, locks: navigator.locks, hardware: () => probeHardware(self) });
}

async function answer(
  model: LoadedModel,
  messages: string | readonly object[],
  fields: object = {},
): Promise<{ text: string; finish: Extract<ChatEvent, { type: 'finish' }> }> {
  const request = parseChatRequest({
    model: 'x',
    temperature: 0,
    max_tokens: 120,
    messages: typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages,
    ...fields,
  });
  let text = '';
  for await (const event of model.chat(request, new AbortController().signal)) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'finish') return { text, finish: event };
  }
  throw new Error('no finish');
}

/** Says what the model's own form says, and that tools are called as Hermes does. Jinja drops a newline at its end. */
const toolTemplate =
  "{% if tools %}{# <tool_call> #}{% endif %}{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}" +
  '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{{ "<|im_start|>assistant\\n" }}';

const contract = async (): Promise<EngineCase> => ({
  engine: makeEngine(),
  model: { ...(await tiny()), chatTemplate: toolTemplate },
  garbage: await tiny({ 'model.wasm': new Blob(['\0asm but not really']) }),
  longPrompt: 'Count to 5.',
  stop: { text: ', 4', before: '1, 2, 3' },
  contextSize: 256,
  completion: {
    prompt: '<|im_start|>user\nCount to 5.<|im_end|>\n<|im_start|>assistant\n',
    stop: { text: ', 4', before: '1, 2, 3' },
  },
  can: ['logprobs', 'completion-logprobs', 'schema'],
  tools: {
    messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
    tools: [{ type: 'function', function: { name: 'get_weather' } }],
  },
});
if (thorough) describeEngine('WebLLM', contract);

describe.runIf(thorough)('WebLLM', patience, () => {
  let model: LoadedModel;
  const progress: number[] = [];

  beforeAll(async () => {
    const onProgress = (fraction: number) => progress.push(fraction);
    model = await makeEngine().load(await tiny(), { contextSize: 2048 }, { onProgress });
  }, patience.timeout);

  afterAll(() => model.close());

  it('tells how far a load is, never backwards', () => {
    expect(progress.length).toBeGreaterThan(2);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBeLessThanOrEqual(1);
  });

  it.each(asked)(
    'answers “$prompt” word for word as llama.cpp does with the same weights',
    async ({ prompt, reply, prompt_tokens: promptTokens }) => {
      const { text, finish } = await answer(model, prompt);
      expect(text).toBe(reply);
      expect(finish).toMatchObject({ reason: 'stop', usage: { promptTokens, cachedTokens: 0 } });
    },
  );

  it('goes on with a conversation from its cache, and answers as a fresh one', async () => {
    const italy = [{ role: 'user', content: 'What is the capital of Italy?' }];
    const first = await answer(model, italy);
    const spain = [
      ...italy,
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'What is the capital of Spain?' },
    ];
    const continued = await answer(model, spain);
    const fresh = await answer(model, spain);
    expect([first.text, continued.text, fresh.text]).toEqual(['Rome.', 'Madrid.', 'Madrid.']);
    expect(continued.finish.usage.cachedTokens).toBeGreaterThan(first.finish.usage.promptTokens);
    expect(continued.finish.timings.prefillTokens).toBeLessThan(fresh.finish.timings.prefillTokens);
    expect(continued.finish.usage.promptTokens).toBe(fresh.finish.usage.promptTokens);
  });

  it('gives the same sample for the same seed', async () => {
    const sampled = { temperature: 2, top_p: 1, seed: 7, max_tokens: 6 };
    const once = await answer(model, 'Hello!', sampled);
    expect((await answer(model, 'Hello!', sampled)).text).toBe(once.text);
  });

  it('refuses what it cannot hold, and answers on', async () => {
    const held = (schema: object) => ({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    // The second one only the grammar compiler itself can refuse.
    const empty = { type: 'object', additionalProperties: false, minProperties: 2 };
    for (const schema of [{ not: {} }, empty]) {
      await expect(answer(model, 'Hello!', held(schema))).rejects.toMatchObject({
        code: 'invalid_request',
        param: 'response_format',
      });
    }
    await expect(answer(model, 'Hello!', { grammar: 'no grammar' })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'grammar',
    });
    expect((await answer(model, 'Hello!', { grammar: 'root ::= "yes" | "no"' })).text).toMatch(/^(yes|no)$/);
    expect((await answer(model, 'Hello!')).text).toBe('Hello! How can I help you?');
  });

  it('is cut off in a schema that it never closes', async () => {
    const schema = { type: 'array', minItems: 1000, items: { type: 'boolean' } };
    const fields = { response_format: { type: 'json_schema', json_schema: { schema } }, max_tokens: 6 };
    expect((await answer(model, 'Hello!', fields)).finish).toMatchObject({ reason: 'length' });
  });

  it('says the same when it tells how likely that is, and what it is biased to', async () => {
    const { text } = await answer(model, 'Count to 5.', { logprobs: true, top_logprobs: 5 });
    expect(text).toBe('1, 2, 3, 4, 5');
    const biased = await answer(model, 'Count to 5.', { logit_bias: { '2': 100 } });
    expect(biased.finish.usage.completionTokens).toBe(1);
  });

  it('runs over its end when it is told to', async () => {
    const { finish } = await answer(model, 'Say nothing.', { ignore_eos: true, max_tokens: 4 });
    expect(finish).toMatchObject({ reason: 'length', usage: { completionTokens: 4 } });
  });

  it('ends at max_tokens without half a character', async () => {
    const replies = [1, 2, 3].map(
      async (tokens) => (await answer(model, 'Send me an emoji.', { max_tokens: tokens })).text,
    );
    for (const text of await Promise.all(replies)) expect('🙂👍'.startsWith(text)).toBe(true);
  });

  it('keeps a model whose template throws at a request', async () => {
    const strict =
      "{% if messages|length > 1 %}{{ raise_exception('no') }}{% endif %}<|im_start|>user\n{{ messages[0].content }}<|im_end|>\n<|im_start|>assistant\n";
    const other = await makeEngine().load(
      { ...(await tiny()), chatTemplate: strict },
      { contextSize: 256, prefillChunk: 8 },
    );
    onTestFinished(() => other.close());
    const two = [
      { role: 'user', content: 'a' },
      { role: 'user', content: 'b' },
    ];
    await expect(answer(other, two)).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
    // In pieces of eight tokens.
    expect((await answer(other, 'Hello!', { max_tokens: 2 })).finish.usage.completionTokens).toBe(2);
  });
});

describe('WebLLM at fault', patience, () => {
  /** Workers that a test can kill or rob of their GPU. */
  function fragileEngine(): {
    engine: WebLlmEngine;
    worker: () => Worker | undefined;
    gpu: BroadcastChannel;
  } {
    const name = `gpu-${crypto.randomUUID()}`;
    let worker: Worker | undefined;
    const gpu = new BroadcastChannel(name);
    onTestFinished(() => gpu.close());
    const engine = makeEngine(() => (worker = new FragileWorker({ name })));
    return { engine, worker: () => worker, gpu };
  }

  it.runIf(thorough)('loses a model whose worker is killed while it answers', async () => {
    const { engine, worker } = fragileEngine();
    const model = await engine.load(await tiny(), { contextSize: 256 });
    const request = parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'Count to 30.' }] });
    const reading = (async () => {
      for await (const event of model.chat(request, new AbortController().signal)) {
        if (event.type === 'text') worker()?.terminate();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'device_lost' });
    expect(await model.lost).toMatchObject({ code: 'device_lost' });
  });

  it.runIf(thorough)('loses a model whose GPU device is destroyed while it answers', async () => {
    const { engine, gpu } = fragileEngine();
    const model = await engine.load(await tiny(), { contextSize: 256 });
    const request = parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'Count to 30.' }] });
    const reading = (async () => {
      for await (const event of model.chat(request, new AbortController().signal)) {
        if (event.type === 'text') gpu.postMessage('lose it');
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'device_lost' });
    expect(await model.lost).toMatchObject({ code: 'device_lost' });
  });

  it.each(['worker', 'GPU device'])('ends a load whose %s goes away', async (what) => {
    const { engine, worker, gpu } = fragileEngine();
    const onDevice = () => {
      if (what === 'worker') worker()?.terminate();
      else gpu.postMessage('lose it');
    };
    gpu.addEventListener('message', onDevice, { once: true });
    const loading = engine.load(await tiny(), { contextSize: 256 });
    await expect(loading).rejects.toMatchObject({ code: 'insufficient_memory' });
  });

  it.each([
    ['a truncated library', { 'model.wasm': 1_000_000 }, '.wasm'],
    ['a library that is cut to nothing', { 'model.wasm': 0 }, '.wasm'],
    ['a short shard', { 'params_shard_1.bin': 1000 }, 'params_shard_1.bin'],
  ] as const)('refuses %s, naming the file', async (_, cuts, named) => {
    const whole = await tiny();
    const changes = Object.entries(cuts).map(([name, sizeBytes]) => [
      name,
      whole.files.get(name)?.slice(0, sizeBytes),
    ]);
    const loading = makeEngine().load(await tiny(Object.fromEntries(changes)), { contextSize: 256 });
    await expect(loading).rejects.toMatchObject({
      code: 'unsupported_model_format',
      message: expect.stringContaining(named),
    });
  });

  it('refuses a library of another model, and a tokenizer that is none', async () => {
    const empty = new Blob([new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])]);
    const odd = [{ 'model.wasm': empty }, { 'tokenizer.json': json({}) }];
    for (const changes of odd) {
      const loading = makeEngine().load(await tiny(changes), { contextSize: 256 });
      await expect(loading).rejects.toMatchObject({ code: 'unsupported_model_format' });
    }
  });

  it('gives up a worker whose script does not start', async () => {
    const engine = makeEngine(() => new Worker('data:text/javascript,throw new Error("broken")'));
    const loading = engine.load(await tiny(), { contextSize: 256 });
    await expect(loading).rejects.toMatchObject({ code: 'internal' });
  });
});
