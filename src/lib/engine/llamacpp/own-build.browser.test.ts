/** Sampan's own build on the real engine, and what happens where it does not work. */
import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { digestHex, sha256 } from '#lib/core/digest.ts';
import type { GgufModel } from '#lib/engine/port.ts';
import type { NativeLine } from './native-log.ts';
import { ask, makeEngine, never, patience, textOf, tiny } from './testing/tiny-engine.ts';
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
    const engine = makeEngine();
    expect(await greet(engine, await tiny())).toEqual([
      'CPU, 1 thread, relaxed SIMD, JSPI (no WebGPU)',
      hello,
    ]);
    expect(await engine.wasmBuild()).toBe('relaxed SIMD, JSPI');
    expect(await engine.describe()).toMatch(
      /^llama\.cpp .* \(CPU, 1 thread, relaxed SIMD, JSPI \(no WebGPU\)\)$/,
    );
  });

  it('leaves vectors and ranks to the package’s', async () => {
    const loaded = await makeEngine().load(await tiny(), { contextSize: 256, mode: 'embedding' });
    expect(loaded.device).toBe('CPU, 1 thread (no WebGPU)');
    expect((await loaded.embed(['Hello!', 'Count to 5.'], never)).vectors).toHaveLength(2);
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
