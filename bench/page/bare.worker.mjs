import { LogLevel, Wllama } from '@wllama/wllama';
import { expose } from 'comlink';
import { Timing } from './timing.mjs';

const state = { url: undefined, blob: undefined, wllama: undefined };
const silent = { debug() {}, log() {}, warn() {}, error: console.error };

expose({
  async load(url, plan) {
    if (state.url !== url) Object.assign(state, { url, blob: await inMemory(url) });
    const startMs = performance.now();
    const wllama = new Wllama({ default: plan.wasmUrl }, { logger: silent });
    wllama.setCompat(null);
    await wllama.loadModel([state.blob], paramsOf(plan));
    state.wllama = wllama;
    return performance.now() - startMs;
  },

  async unload() {
    await state.wllama?.exit();
    state.wllama = undefined;
  },

  async run({ messages, temperature, max_tokens }) {
    const timing = new Timing();
    await state.wllama.createChatCompletion({
      messages,
      temperature,
      max_tokens,
      stream: true,
      stream_options: { include_usage: true },
      return_progress: true,
      onData: (chunk) => timing.mark(chunk),
    });
    return timing.toJSON();
  },
});

async function inMemory(url) {
  return new Blob([await (await fetch(url, { cache: 'no-store' })).arrayBuffer()]);
}

/** The engine's own parameters (src/lib/engine/llamacpp/engine.ts), read off how it runs the model. */
function paramsOf({ contextSize, device, threads }) {
  const batch = Math.min(contextSize, device.startsWith('GPU') ? 512 : 128);
  return {
    log_level: LogLevel.INFO,
    n_ctx: contextSize,
    n_batch: batch,
    n_ubatch: batch,
    n_parallel: 1,
    n_threads: device.endsWith(' 1 thread') ? 1 : threads,
    n_gpu_layers: device.startsWith('GPU') ? 99999 : 0,
    cache_idle_slots: false,
  };
}
