import { LogLevel, Wllama } from '@wllama/wllama';
import { expose } from 'comlink';
import { handOverFiles } from '#lib/engine/llamacpp/model-files.ts';
import { onWorkerProxy } from '#lib/engine/llamacpp/worker-proxy.ts';
import { Timing } from './timing.mjs';

const state = { url: undefined, blob: undefined, wllama: undefined };
const silent = { debug() {}, log() {}, warn() {}, error: console.error };

/** wllama takes a build with a script of its own only where the browser has no JSPI; ours reads its files itself. */
class OtherBuild extends Wllama {
  constructor({ wasmUrl, code, readsFiles = false }) {
    super({ default: wasmUrl }, { logger: silent, skipVersionCheck: true });
    this.setCompat(null);
    this.resources = { wasmPath: wasmUrl, jsPath: { code }, compat: true };
    if (readsFiles) onWorkerProxy(this, handOverFiles);
  }

  getWorkerResources() {
    return this.resources;
  }
}

expose({
  async load(url, plan) {
    if (state.url !== url) Object.assign(state, { url, blob: await inMemory(url) });
    const startMs = performance.now();
    const wllama = create(plan.build);
    await wllama.loadModel([state.blob], paramsOf(plan.inForce));
    const info = wllama.getLoadedContextInfo();
    if (!info.success || info.n_vocab === 0) throw new Error('llama.cpp rejects the model.');
    state.wllama = wllama;
    return performance.now() - startMs;
  },

  async unload() {
    await state.wllama?.exit();
    state.wllama = undefined;
  },

  run: (body) => chat(body),

  /** All at once. */
  runAll: (bodies) => Promise.all(bodies.map(chat)),

  /** So many of the likeliest tokens to come next, or all up to the end, as text; half a character at the end is none. */
  async goOn({ prompt, tokens }) {
    let text = '';
    try {
      await state.wllama.createCompletion({
        prompt,
        max_tokens: tokens,
        temperature: 0,
        stream: true,
        onData: ({ choices }) => (text += choices[0]?.text ?? ''),
      });
    } catch (thrown) {
      // What the engine throws where it cannot write an answer.
      if (!thrown.message.includes('Invalid typed array length')) throw thrown;
    }
    return text;
  },

  /** The engine's own figures of one text completion: `{ prefillTokensPerSecond, decodeTokensPerSecond }`. */
  async complete({ prompt, tokens }) {
    const seen = {};
    await state.wllama.createCompletion({
      prompt,
      max_tokens: tokens,
      temperature: 0,
      ignore_eos: true,
      stream: true,
      onData: ({ timings }) => Object.assign(seen, timings),
    });
    return {
      promptTokens: seen.prompt_n,
      prefillTokensPerSecond: (seen.prompt_n * 1000) / seen.prompt_ms,
      decodeTokensPerSecond: (seen.predicted_n * 1000) / seen.predicted_ms,
    };
  },
});

function create(build) {
  if (build.code !== undefined) return new OtherBuild(build);
  const wllama = new Wllama({ default: build.wasmUrl }, { logger: silent });
  wllama.setCompat(null);
  return wllama;
}

async function chat({ messages, temperature, max_tokens, ignore_eos }) {
  const timing = new Timing();
  await state.wllama.createChatCompletion({
    messages,
    temperature,
    max_tokens,
    ignore_eos,
    stream: true,
    stream_options: { include_usage: true },
    return_progress: true,
    onData: (chunk) => timing.mark(chunk),
  });
  return timing.toJSON();
}

async function inMemory(url) {
  return new Blob([await (await fetch(url, { cache: 'no-store' })).arrayBuffer()]);
}

/** The engine's own parameters (src/lib/engine/llamacpp/load-params.ts), from what its model runs with. */
function paramsOf(inForce) {
  const batch = Math.min(inForce.context_size, inForce.gpu_layers > 0 ? 512 : 128);
  return {
    log_level: LogLevel.INFO,
    n_ctx: inForce.context_size,
    n_batch: batch,
    n_ubatch: batch,
    n_parallel: inForce.parallel,
    kv_unified: true,
    n_threads: inForce.threads,
    n_gpu_layers: inForce.gpu_layers,
    cache_type_k: inForce.cache_type_k,
    cache_type_v: inForce.cache_type_v,
    flash_attn: inForce.flash_attention,
    cache_idle_slots: false,
  };
}
