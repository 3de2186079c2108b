/** What goes wrong with a model in memory: each gives its code, and the next request works. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest, type ChatRequest } from '#lib/openai/chat.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import { entry, u32 } from '#tests/support/registry/gguf-bytes.ts';
import { withEntries, writeGguf } from './testing/gguf-edit.ts';
import {
  gather,
  makeEngine,
  never,
  patience,
  modelOf,
  textOf,
  tiny,
  tinyParts,
  toolTemplate,
} from './testing/tiny-engine.ts';

const hello = 'Hello! How can I help you?';

function chat(model: LoadedModel, fields: object = {}, signal = never): AsyncIterable<ChatEvent> {
  const messages = [{ role: 'user', content: 'Hello!' }];
  return model.chat(parseChatRequest({ model: 'x', temperature: 0, messages, ...fields }), signal);
}

const story: Partial<ChatRequest> = {
  messages: [{ role: 'user', content: 'Tell me a story.' }],
  max_tokens: 400,
  ignore_eos: true,
};

describe('llama.cpp under faults', patience, () => {
  let loaded: LoadedModel;

  beforeAll(async () => {
    const template = `{%- for m in messages %}{% if m.content == 'odd' %}{{ raise_exception('no') }}{% endif %}{% endfor -%}${toolTemplate}`;
    loaded = await makeEngine().load(await tiny({ chatTemplate: template }), {
      contextSize: 2048,
      parallel: 4,
    });
  }, patience.timeout);
  afterAll(() => loaded.close());

  it('lets no bad request touch the others that are answered at the same time', async () => {
    const good = Array.from({ length: 6 }, () => gather(chat(loaded)));
    // The template throws, which is an exception in the engine that would reject whatever else is in it.
    const odd = { messages: [{ role: 'user', content: 'odd' }] };
    const bad = Array.from({ length: 6 }, () => gather(chat(loaded, odd)));
    for (const refused of await Promise.allSettled(bad)) {
      expect(refused).toMatchObject({ reason: { code: 'invalid_request', param: 'messages' } });
    }
    expect((await Promise.all(good)).map(textOf)).toEqual(Array(6).fill(hello));
  });

  it('answers 50 requests at once, of which half are aborted', async () => {
    const asked = Array.from({ length: 50 }, (_, index) => {
      const abort = new AbortController();
      const answer = gather(chat(loaded, index % 2 ? {} : story, abort.signal));
      if (index % 2 === 0) queueMicrotask(() => abort.abort());
      return answer;
    });
    const results = await Promise.allSettled(asked);
    for (const [index, result] of results.entries()) {
      if (index % 2 === 0) expect(result).toMatchObject({ reason: { name: 'AbortError' } });
      else expect(result.status === 'fulfilled' && textOf(result.value)).toBe(hello);
    }
  });

  it('is not held up by a client that never reads', async () => {
    const unread = Array.from({ length: 4 }, () => chat(loaded, { ...story, max_tokens: 50 }));
    expect(textOf(await gather(chat(loaded)))).toBe(hello);
    for (const events of unread) expect((await gather(events)).at(-1)).toMatchObject({ reason: 'length' });
  });

  it('refuses a prompt of 100 000 tokens and answers the next one', async () => {
    const messages = [{ role: 'user', content: 'a '.repeat(100_000) }];
    await expect(gather(chat(loaded, { messages }))).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'messages',
    });
    expect(textOf(await gather(chat(loaded)))).toBe(hello);
  });
});

describe('llama.cpp whose worker dies', patience, () => {
  /** wllama makes its worker by itself; it is seen as it is made. */
  async function withWorkers(use: (workers: Worker[]) => Promise<void>): Promise<void> {
    const workers: Worker[] = [];
    const Original = globalThis.Worker;
    vi.stubGlobal(
      'Worker',
      class extends Original {
        constructor(...given: ConstructorParameters<typeof Worker>) {
          super(...given);
          workers.push(this);
        }
      },
    );
    try {
      await use(workers);
    } finally {
      vi.unstubAllGlobals();
    }
  }

  it.each([
    ['prefilling', { messages: [{ role: 'user', content: 'a '.repeat(900) }] }, 'prefill'],
    ['decoding', story, 'text'],
  ])('while %s: says device_lost, and a fresh load works', async (_, fields, moment) => {
    await withWorkers(async (workers) => {
      const model = await makeEngine().load(await tiny(), { contextSize: 2048 });
      const reading = (async () => {
        for await (const event of chat(model, fields)) {
          if (event.type === moment) workers.at(-1)?.terminate();
        }
      })();
      await expect(reading).rejects.toMatchObject({ code: 'device_lost' });
      expect(await model.lost).toMatchObject({ code: 'device_lost' });
      await expect(gather(chat(model))).rejects.toMatchObject({ code: 'device_lost' });
      await model.close();
    });
  });

  it('while loading: says device_lost', async () => {
    await withWorkers(async (workers) => {
      const parts = await tinyParts();
      const [file] = (await modelOf(parts)).weights;
      // The load reads its file again and again; it dies at the first read of the weights.
      const fatal = Object.assign(new Blob([file ?? '']), {
        slice(from: number, to: number) {
          if (from > 13_376) workers.at(-1)?.terminate();
          return Blob.prototype.slice.call(this, from, to);
        },
      });
      const loading = makeEngine().load(await tiny({ weights: [fatal] }), { contextSize: 128 });
      await expect(loading).rejects.toMatchObject({ code: 'device_lost' });
    });
  });

  it('stays pending for a model that is closed', async () => {
    const model = await makeEngine().load(await tiny(), { contextSize: 128 });
    const answer = gather(chat(model, story));
    await model.close();
    await expect(answer).rejects.toMatchObject({ code: 'device_lost' });
    expect(await Promise.race([model.lost, Promise.resolve('pending')])).toBe('pending');
  });
});

describe('llama.cpp files that do not load', patience, () => {
  const damaged: Record<string, () => Promise<Uint8Array<ArrayBuffer>>> = {
    'cut short in its weights': async () => writeGguf(await tinyParts()).slice(0, 100_000),
    'of an unknown architecture': async () =>
      writeGguf(withEntries(await tinyParts(), entry.text('general.architecture', 'banana'))),
    'without a vocabulary': async () => {
      const { entries, tensors } = await tinyParts();
      return writeGguf({ tensors, entries: entries.filter(([key]) => !key.startsWith('tokenizer.')) });
    },
    'without one of its tensors': async () => {
      const { entries, tensors } = await tinyParts();
      return writeGguf({ entries, tensors: tensors.slice(1) });
    },
    'with a tensor of a type that does not exist': async () => {
      const { entries, tensors } = await tinyParts();
      return writeGguf({ entries, tensors: tensors.map((each) => ({ ...each, type: 77 })) });
    },
  };

  it.each(Object.keys(damaged))('%s: unsupported_model_format', async (name) => {
    const weights = [new Blob([(await damaged[name]?.()) ?? ''])];
    const loading = makeEngine().load(await tiny({ weights }), { contextSize: 64 });
    await expect(loading).rejects.toMatchObject({ code: 'unsupported_model_format' });
  });

  it('names a template that cannot be used', async () => {
    const loading = makeEngine().load(await tiny({ chatTemplate: '{% if %}' }), { contextSize: 64 });
    await expect(loading).rejects.toMatchObject({
      code: 'unsupported_model_format',
      message: expect.stringContaining('template'),
    });
  });

  it('needs more memory than there is: insufficient_memory', async () => {
    const huge = withEntries(await tinyParts(), ['llama.context_length', 4, u32(8_000_000)]);
    const loading = makeEngine().load(await modelOf(huge), { contextSize: 8_000_000 });
    await expect(loading).rejects.toMatchObject({ code: 'insufficient_memory' });
  });
});
