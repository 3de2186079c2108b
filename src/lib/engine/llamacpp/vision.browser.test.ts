/** The real engine with an eye: what a model answers about a picture proves every step on its way to it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '#lib/engine/port.ts';
import { parseChatRequest, type ContentPart } from '#lib/openai/chat.ts';
import { entry } from '#tests/support/registry/gguf-bytes.ts';
import { withEntries, writeGguf } from './testing/gguf-edit.ts';
import { askAbout, eyeParts, withEye } from './testing/media-engine.ts';
import { capitalOf, dataUrl, italy, japan, ofImage, ofSound, picture, wav } from './testing/media-makers.ts';
import {
  ask,
  finishOf,
  gather,
  makeEngine,
  patience,
  textOf,
  tiny,
  withModel,
} from './testing/tiny-engine.ts';

/** As GGUF numbers them. */
const f32Type = 0;
const f16Type = 1;

describe('llama.cpp with an eye', patience, () => {
  let loaded: LoadedModel;
  let japanPng: string;

  beforeAll(async () => {
    japanPng = await picture(japan.quarters);
    loaded = await makeEngine().load(await withEye(), { contextSize: 512 });
  }, patience.timeout);
  afterAll(() => loaded.close());

  it.each([
    ['image/png', 16],
    ['image/jpeg', 16],
    ['image/webp', 16],
    ['image/png', 2200],
  ])('sees what is on a %s of %i pixels', async (type, edge) => {
    for (const { quarters, capital } of edge > 16 ? [italy] : [japan, italy]) {
      const events = await askAbout(loaded, capitalOf(ofImage(await picture(quarters, type, edge))));
      expect(textOf(events)).toBe(capital);
    }
  });

  it('sees with weights in halves, as projectors have them', async () => {
    const parts = await eyeParts();
    const tensors = parts.tensors.map((tensor) => {
      const { name, type, dimensions, data } = tensor;
      if (type !== f32Type || dimensions.length < 2 || name.includes('position')) return tensor;
      const halves = Uint16Array.from(new Uint32Array(data.slice().buffer), halfOf);
      return { ...tensor, type: f16Type, data: new Uint8Array(halves.buffer) };
    });
    expect(tensors.filter(({ type }) => type === f16Type).length).toBeGreaterThan(10);
    const projector = new Blob([writeGguf({ ...parts, tensors })]);
    await withModel({ ...(await withEye()), projector }, {}, async (halved) => {
      for (const { quarters, capital } of [japan, italy]) {
        const events = await askAbout(halved, capitalOf(ofImage(await picture(quarters))));
        expect(textOf(events)).toBe(capital);
      }
    });
  });

  it('counts what a picture takes of the prompt, and computes none twice', async () => {
    const inWords = finishOf(await ask(loaded, 'What is the capital of?')).usage;
    const first = finishOf(await askAbout(loaded, capitalOf(ofImage(japanPng)))).usage;
    expect(first.promptTokens).toBe(inWords.promptTokens + 4);
    const again = finishOf(await askAbout(loaded, capitalOf(ofImage(japanPng))));
    expect(textOf(await askAbout(loaded, capitalOf(ofImage(japanPng))))).toBe(japan.capital);
    expect(again.usage.cachedTokens).toBeGreaterThan(first.promptTokens - 10);
    expect(again.timings.prefillTokens).toBe(again.usage.promptTokens - again.usage.cachedTokens);
  });

  it('takes no picture for another that it has seen in the same place', async () => {
    const answers = [];
    for (const { quarters } of [japan, italy, japan]) {
      const events = await askAbout(loaded, capitalOf(ofImage(await picture(quarters))));
      answers.push(textOf(events));
      // All before the picture is the same.
      expect(finishOf(events).usage.cachedTokens).toBeGreaterThan(15);
    }
    expect(answers).toEqual([japan.capital, italy.capital, japan.capital]);
  });

  it('keeps several pictures apart, in one message and in a conversation, as it does with words', async () => {
    const italyPng = await picture(italy.quarters);
    const both = await askAbout(loaded, capitalOf(ofImage(japanPng), ofImage(italyPng)));
    const inWords = await ask(loaded, 'What is the capital of Japan Italy?');
    expect(textOf(both)).toBe(textOf(inWords));
    expect(finishOf(both).usage.promptTokens).toBe(finishOf(inWords).usage.promptTokens);
    const conversation = (first: string | ContentPart[], second: string | ContentPart[]) => [
      { role: 'user' as const, content: first },
      { role: 'assistant' as const, content: japan.capital },
      { role: 'user' as const, content: second },
    ];
    const seen = conversation(capitalOf(ofImage(japanPng)), capitalOf(ofImage(italyPng)));
    const said = conversation('What is the capital of Japan?', 'What is the capital of Italy?');
    expect(textOf(await ask(loaded, '', { messages: seen }))).toBe(
      textOf(await ask(loaded, '', { messages: said })),
    );
  });

  it('tells the prompt without the picture', async () => {
    const { renderedPrompt } = finishOf(await askAbout(loaded, capitalOf(ofImage(japanPng))));
    expect(renderedPrompt).toContain('<|im_start|>user\nWhat is the capital of');
    expect(renderedPrompt).not.toContain('base64');
  });

  it('streams, is held by a schema and stops, as with words', async () => {
    const fields = { response_format: { type: 'json_object' as const }, max_tokens: 30 };
    const events = await askAbout(loaded, capitalOf(ofImage(japanPng)), fields);
    expect(textOf(events)).toMatch(/^\{/);
    const short = await askAbout(loaded, capitalOf(ofImage(japanPng)), { max_tokens: 1, logprobs: true });
    expect(finishOf(short)).toMatchObject({ reason: 'length', usage: { completionTokens: 1 } });
  });

  it.each<[string, ContentPart]>([
    ['is damaged', ofImage(dataUrl('image/png', pngStart(16, 16)))],
    ['is cut off', ofImage(dataUrl('image/jpeg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16)))],
    ['is none', ofImage(dataUrl('image/png', new TextEncoder().encode('<svg xmlns="x"/>')))],
    ['would fill the memory', ofImage(dataUrl('image/png', pngStart(30_000, 30_000)))],
    ['is a sound', ofImage(dataUrl('image/png', wav(new Int16Array(100))))],
  ])('refuses a picture that %s, and serves the next request', async (_, part) => {
    const refused = askAbout(loaded, capitalOf(part));
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
    expect(textOf(await ask(loaded, 'Hello!'))).toBe('Hello! How can I help you?');
  });

  it('refuses sound, more pictures than can be, and pictures that fill the context', async () => {
    await expect(askAbout(loaded, [ofSound(wav(new Int16Array(9)))])).rejects.toMatchObject({
      code: 'unsupported_parameter',
    });
    const many = Array.from({ length: 101 }, () => ofImage(japanPng));
    await expect(askAbout(loaded, many)).rejects.toMatchObject({ code: 'invalid_request' });
    const narrow = await makeEngine().load(await withEye(), { contextSize: 256 });
    try {
      await expect(askAbout(narrow, capitalOf(...many.slice(1)))).rejects.toMatchObject({
        code: 'context_length_exceeded',
        param: 'messages',
      });
      expect(textOf(await askAbout(narrow, capitalOf(ofImage(japanPng))))).toBe(japan.capital);
    } finally {
      await narrow.close();
    }
  });

  it('ends when it is cancelled, before and while it looks', async () => {
    const messages = [{ role: 'user', content: capitalOf(ofImage(japanPng)) }];
    const request = parseChatRequest({
      model: 'x',
      temperature: 0,
      max_tokens: 200,
      ignore_eos: true,
      messages,
    });
    await expect(gather(loaded.chat(request, AbortSignal.abort()))).rejects.toMatchObject({
      name: 'AbortError',
    });
    const abort = new AbortController();
    const events = loaded.chat(request, abort.signal)[Symbol.asyncIterator]();
    await events.next();
    abort.abort();
    await expect(
      (async () => {
        while (!(await events.next()).done);
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(textOf(await askAbout(loaded, capitalOf(ofImage(japanPng))))).toBe(japan.capital);
  });
});

describe('an eye', patience, () => {
  it('that is missing is said of the model, before the engine has read anything', async () => {
    const blind = await makeEngine().load(await tiny(), { contextSize: 64 });
    const refused = askAbout(blind, [ofImage(await picture(japan.quarters))]);
    await expect(refused).rejects.toMatchObject({ code: 'unsupported_parameter', status: 400 });
    await blind.close();
  });

  it.each([
    ['of a kind that llama.cpp does not know', entry.text('clip.vision.projector_type', 'unheard-of')],
    ['of another model', undefined],
  ])('%s refuses the load', async (_, changed) => {
    const parts = await eyeParts();
    const other = {
      ...parts,
      tensors: parts.tensors.map((tensor) => {
        if (tensor.name === 'mm.2.weight')
          return { ...tensor, dimensions: [8, 64], data: tensor.data.slice(0, 2048) };
        return tensor.name === 'mm.2.bias'
          ? { ...tensor, dimensions: [64], data: tensor.data.slice(0, 256) }
          : tensor;
      }),
    };
    const projector = new Blob([writeGguf(changed ? withEntries(parts, changed) : other)]);
    const load = makeEngine().load(await tiny({ projector }), { contextSize: 64 });
    await expect(load).rejects.toMatchObject({ code: 'unsupported_model_format' });
  });
});

/** A PNG up to its size, with nothing behind. */
function pngStart(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(33);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2, 0, 0, 0], 24);
  return bytes;
}

/** The upper bits of a float as a half; what is too small for one is zero. */
function halfOf(bits: number): number {
  const exponent = ((bits >>> 23) & 255) - 112;
  return ((bits >>> 16) & 0x8000) | (exponent > 0 ? (exponent << 10) | ((bits >>> 13) & 1023) : 0);
}
