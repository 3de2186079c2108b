/** Ways to load a GGUF model besides the plain one for chats, on the real engine. */
import { describe, expect, it } from 'vitest';
import { entry, f32 } from '#tests/support/registry/gguf-bytes.ts';
import { floatTensor, writeGguf } from './testing/gguf-edit.ts';
import {
  ask,
  makeEngine,
  never,
  patience,
  ranker,
  reasoningOf,
  textOf,
  tiny,
  toolTemplate,
  withModel,
} from './testing/tiny-engine.ts';

describe('llama.cpp loads', patience, () => {
  it('embeds token lists and texts, pooled as wanted, and names what cannot be embedded', async () => {
    const model = await tiny();
    await withModel(model, { mode: 'embedding', pooling: 'last' }, async (loaded) => {
      const { vectors, promptTokens } = await loaded.embed([[19, 14], 'Hello!', [19, 14]], never);
      expect(vectors).toHaveLength(3);
      expect(vectors[0]).toEqual(vectors[2]);
      expect(promptTokens).toBeGreaterThan(4);
      for (const inputs of [[], [''], ['ok', [512]], [[-1]], [[1.5]]]) {
        await expect(loaded.embed(inputs, never)).rejects.toMatchObject({ status: 400, param: 'input' });
      }
      await expect(ask(loaded, 'Hello!')).rejects.toMatchObject({ code: 'not_supported' });
    });
    const unpooled = makeEngine().load(model, { contextSize: 64, mode: 'embedding', pooling: 'none' });
    await expect(unpooled).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('ranks by what a model with a head for it finds of the query in a document', async () => {
    await withModel(await ranker(), { mode: 'reranking', contextSize: 64 }, async (loaded) => {
      const documents = [
        'bake bread.',
        'sail the wave.',
        'the moon and a comet',
        'leaf of oak',
        'the',
        'unheard',
      ];
      for (const [query, best] of [
        ['butter', 0],
        ['a ship', 1],
        ['planet', 2],
        ['forest of pine', 3],
      ] as const) {
        const { scores } = await loaded.rerank({ query, documents }, never);
        expect(scores.indexOf(Math.max(...scores)), query).toBe(best);
      }
      const { scores } = await loaded.rerank(
        { query: 'bread', documents: ['butter', 'ship', 'butter'] },
        never,
      );
      expect(scores[0]).toBe(scores[2]);
      expect(scores[0]).not.toBeCloseTo(scores[1] ?? NaN, 2);
    });
  });

  it('ranks until it is aborted, and names a document that is too long', async () => {
    await withModel(await tiny(), { mode: 'reranking', contextSize: 128 }, async (loaded) => {
      const documents = ['Paris.', 'word '.repeat(300)];
      await expect(loaded.rerank({ query: 'q', documents }, never)).rejects.toMatchObject({
        code: 'context_length_exceeded',
        param: 'documents',
      });
      const abort = new AbortController();
      const endless = loaded.rerank({ query: 'q', documents: Array(10_000).fill('Paris.') }, abort.signal);
      abort.abort();
      await expect(endless).rejects.toMatchObject({ name: 'AbortError' });
      expect(await loaded.rerank({ query: 'q', documents: [] }, never)).toEqual({
        scores: [],
        promptTokens: 0,
      });
      expect((await loaded.rerank({ query: 'q', documents: ['a'] }, never)).scores).toHaveLength(1);
    });
  });

  it('applies LoRA adapters', async () => {
    const adapter = (scale: number) =>
      new Blob([
        writeGguf({
          entries: [
            entry.text('general.type', 'adapter'),
            entry.text('general.architecture', 'llama'),
            entry.text('adapter.type', 'lora'),
            ['adapter.lora.alpha', 6, f32(1)],
          ],
          tensors: [
            floatTensor('blk.0.attn_q.weight.lora_a', [128, 1], (index) => Math.sin(index)),
            floatTensor('blk.0.attn_q.weight.lora_b', [1, 128], (index) => scale * Math.cos(index)),
          ],
        }),
      ]);
    // Several, the first of which changes nothing.
    const model = await tiny({ adapters: [adapter(0), adapter(5)] });
    await withModel(model, {}, async (loaded) => {
      expect(textOf(await ask(loaded, 'Hello!'))).not.toBe('Hello! How can I help you?');
    });
  });

  it('thinks no longer than it may', async () => {
    const model = await tiny({ chatTemplate: toolTemplate });
    const events = await withModel(model, { thinkBudget: 2 }, (loaded) => ask(loaded, 'Think first.'));
    expect(reasoningOf(events)).not.toContain('think');
    expect(textOf(events)).toMatch(/Done\.$/);
  });

  it('runs the package’s build for larger models, where there is none of ours', async () => {
    const [file] = (await tiny()).weights;
    const large = await tiny({ weights: [new Blob([file ?? '', new Uint8Array(33 * 1024 * 1024)])] });
    const engine = makeEngine({ fetch: () => Promise.resolve(new Response('', { status: 404 })) });
    const loaded = await engine.load(large, { contextSize: 512 });
    expect(textOf(await ask(loaded, 'Hello!'))).toBe('Hello! How can I help you?');
    expect(loaded.device).toMatch(/^CPU, 1 thread \(no WebGPU/);
    await loaded.close();
  });
});
