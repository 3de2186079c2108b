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
  interface Sent {
    readonly verb?: string;
    readonly args?: readonly unknown[];
  }

  /** wllama makes its worker by itself; it is seen as it is made, and what is sent to it. */
  async function withWorkers(
    use: (workers: Worker[]) => Promise<void>,
    beforeSent: (worker: Worker, sent: Sent) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const workers: Worker[] = [];
    const Original = globalThis.Worker;
    vi.stubGlobal(
      'Worker',
      class extends Original {
        #last: Promise<void> = Promise.resolve();

        constructor(...given: ConstructorParameters<typeof Worker>) {
          super(...given);
          workers.push(this);
        }

        override postMessage(message: Sent, options?: StructuredSerializeOptions | Transferable[]): void {
          this.#last = this.#last.then(async () => {
            await beforeSent(this, message);
            super.postMessage(message, options as StructuredSerializeOptions);
          });
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
    const onLoad = async (worker: Worker, { args }: Sent) => {
      if (args?.[0] === 'load') setTimeout(() => worker.terminate());
      await Promise.resolve();
    };
    await withWorkers(async () => {
      const loading = makeEngine().load(await tiny(), { contextSize: 128 });
      await expect(loading).rejects.toMatchObject({ code: 'device_lost' });
    }, onLoad);
  });

  it('whose file goes away while it loads: says so, and the next load works', async () => {
    const root = await navigator.storage.getDirectory();
    const name = `going-${crypto.randomUUID()}`;
    const handle = await root.getFileHandle(name, { create: true });
    const writable = await handle.createWritable();
    await (await tiny()).weights[0]?.stream().pipeTo(writable);
    const onLoad = async (_: Worker, { args }: Sent) => {
      if (args?.[0] === 'load') await root.removeEntry(name).catch(() => undefined);
    };
    await withWorkers(async () => {
      const loading = makeEngine().load(await tiny({ weights: [await handle.getFile()] }), {
        contextSize: 128,
      });
      await expect(loading).rejects.toMatchObject({ code: 'unsupported_model_format' });
      const loaded = await makeEngine().load(await tiny(), { contextSize: 128 });
      expect(textOf(await gather(chat(loaded)))).toBe(hello);
      await loaded.close();
    }, onLoad);
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
