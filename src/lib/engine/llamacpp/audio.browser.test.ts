/** The real engine with an ear. A sound takes it seconds on a CPU, so there are few. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '#lib/engine/port.ts';
import { askAbout, withEar } from './testing/media-engine.ts';
import { capitalOf, italy, japan, ofImage, ofSound, picture, sound, wav } from './testing/media-makers.ts';
import { ask, finishOf, makeEngine, packageEngine, patience, textOf } from './testing/tiny-engine.ts';

describe('llama.cpp with an ear', patience, () => {
  let loaded: LoadedModel;

  beforeAll(async () => {
    const hardware = () => Promise.resolve({ isolated: crossOriginIsolated, cores: 2, gpu: undefined });
    loaded = await makeEngine({ hardware }).load(await withEar(), { contextSize: 256 });
  }, patience.timeout);
  afterAll(() => loaded.close());

  it('hears what is said, counts it, and takes no sound for another', async () => {
    const inWords = finishOf(await ask(loaded, 'What is the capital of?')).usage;
    for (const { quarters, capital } of [japan, italy]) {
      const events = await askAbout(loaded, capitalOf(ofSound(sound(quarters))));
      expect(textOf(events)).toBe(capital);
      expect(finishOf(events).usage.promptTokens).toBe(inWords.promptTokens + 4);
    }
  });

  it('hears with one thread', async () => {
    const single = await makeEngine().load(await withEar(), { contextSize: 256, threads: 1 });
    expect(textOf(await askAbout(single, capitalOf(ofSound(sound(japan.quarters)))))).toBe(japan.capital);
    await single.close();
  });

  it('hears on the package’s build too, with its threads', async () => {
    const hardware = () => Promise.resolve({ isolated: crossOriginIsolated, cores: 2, gpu: undefined });
    const theirs = await packageEngine({ hardware }).load(await withEar(), { contextSize: 256 });
    expect(theirs.device).toBe('CPU, 2 threads (no WebGPU)');
    expect(textOf(await askAbout(theirs, capitalOf(ofSound(sound(japan.quarters)))))).toBe(japan.capital);
    await theirs.close();
  });

  it('is not asked to hear with one thread of the package’s build, which would end it', async () => {
    const single = await packageEngine().load(await withEar(), { contextSize: 256, threads: 1 });
    const heard = askAbout(single, capitalOf(ofSound(sound(japan.quarters))));
    await expect(heard).rejects.toMatchObject({ code: 'not_supported', param: 'messages' });
    expect(textOf(await ask(single, 'Hello!'))).toBe('Hello! How can I help you?');
    await single.close();
  });

  it('refuses a sound without any, and a picture, and serves the next request', async () => {
    const silent = askAbout(loaded, capitalOf(ofSound(wav(new Int16Array()))));
    await expect(silent).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' });
    const seen = askAbout(loaded, [ofImage(await picture(japan.quarters))]);
    await expect(seen).rejects.toMatchObject({ code: 'unsupported_parameter' });
    expect(textOf(await ask(loaded, 'Hello!'))).toBe('Hello! How can I help you?');
  });
});
