/** Sampan's own build on the real engine, and what happens where it does not work. */
import { describe, expect, it, vi } from 'vitest';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { digestHex, sha256 } from '#lib/core/digest.ts';
import type { GgufModel } from '#lib/engine/port.ts';
import { parseChatRequest } from '#lib/openai/chat.ts';
import type { NativeLine } from './native-log.ts';
import type { LlamaCppEngine } from './engine.ts';
import {
  ask,
  gather,
  makeEngine,
  never,
  packageEngine,
  patience,
  ranker,
  textOf,
  tiny,
} from './testing/tiny-engine.ts';
import { hasWasmFeature, wasmFeatures } from './wasm-features.ts';

const hello = 'Hello! How can I help you?';

/** A build that is what its manifest says, and is no llama.cpp. */
async function emptyBuild(): Promise<typeof fetch> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>([
    ['wllama-empty.js', new TextEncoder().encode('var Module = {};')],
    ['wllama-empty.wasm', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ]);
  const [js, wasm] = await Promise.all(
    [...files].map(async ([path, bytes]) => ({ path, sha256: digestHex(await sha256(bytes)) })),
  );
  const manifest = JSON.stringify({ builds: [{ name: 'empty', features: [], js, wasm }] });
  return (input) => {
    const name = new URL(new Request(input).url).pathname.split('/').at(-1) ?? '';
    return Promise.resolve(new Response(files.get(name) ?? manifest));
  };
}

function cosine(one: Float32Array = new Float32Array(), other: Float32Array = new Float32Array()): number {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? NaN), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

/** Waits for nothing that may take half a minute, and for everything else. */
const hasty: Clock = {
  now: () => systemClock.now(),
  after: (delayMs, callback) => systemClock.after(delayMs === 30_000 ? 0 : delayMs, callback),
};

async function greet(engine: ReturnType<typeof makeEngine>, model: GgufModel): Promise<readonly string[]> {
  const loaded = await engine.load(model, { contextSize: 512 });
  try {
    return [loaded.device, textOf(await ask(loaded, 'Hello!'))];
  } finally {
    await loaded.close();
  }
}

describe('Sampan’s build of llama.cpp', patience, () => {
  it('has all that it needs in this browser', () => {
    expect(wasmFeatures.filter((feature) => !hasWasmFeature(feature))).toEqual([]);
  });

  it('is the one that computes on the CPU, and is named where people look', async () => {
    const warnings: string[] = [];
    const log = ({ level, text }: NativeLine) => level === 'warn' && warnings.push(text);
    const engine = makeEngine({ log });
    expect(await greet(engine, await tiny())).toEqual(['CPU, 1 thread, relaxed SIMD (no WebGPU)', hello]);
    expect(warnings).toEqual([]);
    expect(await engine.wasmBuild()).toBe('relaxed SIMD');
    expect(await engine.describe()).toMatch(/^llama\.cpp .* \(CPU, 1 thread, relaxed SIMD \(no WebGPU\)\)$/);
  });

  it('runs where WebAssembly cannot wait for promises', async () => {
    const without = 'delete WebAssembly.Suspending; delete WebAssembly.promising;';
    const { Suspending, promising } = WebAssembly as unknown as Record<string, unknown>;
    const Original = globalThis.Worker;
    vi.stubGlobal(
      'Worker',
      class extends Original {
        constructor(url: string) {
          super(URL.createObjectURL(new Blob([`${without}importScripts(${JSON.stringify(url)})`])));
        }
      },
    );
    try {
      Reflect.deleteProperty(WebAssembly, 'Suspending');
      Reflect.deleteProperty(WebAssembly, 'promising');
      const [device, text] = await greet(makeEngine(), await tiny());
      expect([device, text]).toEqual(['CPU, 1 thread, relaxed SIMD (no WebGPU)', hello]);
    } finally {
      Object.assign(WebAssembly, { Suspending, promising });
      vi.unstubAllGlobals();
    }
  });

  it.each(['mean', 'cls', 'last'] as const)('embeds as the package’s does, %s', async (pooling) => {
    const inputs = Array.from({ length: 9 }, (_, i) => `Count to ${i}. Say hello!`.slice(0, 5 + 2 * i));
    const embed = async (engine: LlamaCppEngine) => {
      const loaded = await engine.load(await tiny(), { contextSize: 256, mode: 'embedding', pooling });
      expect(loaded.inForce.parallel).toBeLessThan(inputs.length);
      const { vectors, promptTokens } = await loaded.embed(inputs, never);
      const again = await loaded.embed([inputs[3] ?? ''], never);
      await loaded.close();
      expect(cosine(again.vectors[0], vectors[3])).toBeGreaterThan(0.9999);
      return { device: loaded.device, vectors, promptTokens };
    };
    const [ours, theirs] = [await embed(makeEngine()), await embed(packageEngine())];
    expect([ours.device, theirs.device].map((device) => device.includes('SIMD'))).toEqual([true, false]);
    expect(ours.promptTokens).toBe(theirs.promptTokens);
    for (const [i, vector] of theirs.vectors.entries()) {
      expect(cosine(ours.vectors[i], vector), inputs[i]).toBeGreaterThan(0.999);
    }
  });

  it('ranks as the package’s does', async () => {
    const documents = [
      'bake bread.',
      'sail the wave.',
      'the moon and a comet',
      'leaf of oak',
      'the',
      'unheard',
    ];
    const rank = async (engine: LlamaCppEngine) => {
      const loaded = await engine.load(await ranker(), { contextSize: 64, mode: 'reranking' });
      const { scores } = await loaded.rerank({ query: 'a ship', documents }, never);
      await loaded.close();
      return scores;
    };
    const [ours, theirs] = [await rank(makeEngine()), await rank(packageEngine())];
    for (const [i, score] of theirs.entries()) expect(ours[i], documents[i]).toBeCloseTo(score, 2);
  });

  it('lets more requests wait than it has slots, and answers each', async () => {
    const loaded = await makeEngine().load(await tiny(), { contextSize: 512, parallel: 2 });
    const answers = await Promise.all(
      Array.from({ length: 7 }, (_, i) => ask(loaded, i % 2 ? 'Hello!' : 'Count to 5.')),
    );
    expect(answers.map((events) => textOf(events).slice(0, 5))).toEqual(
      answers.map((_, i) => (i % 2 ? hello : '1, 2, 3').slice(0, 5)),
    );
    const giveUp = new AbortController();
    const left = loaded.chat(
      parseChatRequest({ model: 'x', messages: [{ role: 'user', content: 'Hello!' }] }),
      giveUp.signal,
    );
    const others = [ask(loaded, 'Hello!'), ask(loaded, 'Hello!'), ask(loaded, 'Hello!')];
    giveUp.abort(new Error('enough'));
    await expect(gather(left)).rejects.toThrow('enough');
    expect((await Promise.all(others)).map(textOf)).toEqual([hello, hello, hello]);
    await loaded.close();
  });

  it('is left aside for the session where it does not start, in one line', async () => {
    const lines: NativeLine[] = [];
    const log = (line: NativeLine) => lines.push(line);
    const engine = makeEngine({ fetch: await emptyBuild(), clock: hasty, log });
    const greeted = ['CPU, 1 thread (no WebGPU)', hello];
    expect(await greet(engine, await tiny())).toEqual(greeted);
    expect(await greet(engine, await tiny())).toEqual(greeted);
    expect(lines.filter(({ text }) => text.includes('instead of Sampan’s'))).toHaveLength(1);
    expect(await engine.wasmBuild()).toBe('package, Asyncify');
  });

  it('is not blamed for a model that no build can load', async () => {
    const engine = makeEngine();
    const weights = [new Blob([(await (await tiny()).weights[0]?.slice(0, 100_000).arrayBuffer()) ?? ''])];
    await expect(engine.load(await tiny({ weights }), { contextSize: 64 })).rejects.toMatchObject({
      code: 'unsupported_model_format',
    });
    expect((await greet(engine, await tiny()))[0]).toContain('relaxed SIMD');
  });
});
