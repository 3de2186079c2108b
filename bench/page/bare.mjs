// wllama alone, in a worker as the runner has it: the engine without store, scheduler, channel and framing.
/* global Worker */
import { wrap } from 'comlink';

const engine = wrap(
  new Worker(new URL('./bare.worker.mjs', import.meta.url), { type: 'module', name: 'bare' }),
);

/** Milliseconds to load the model of `url`, which is in memory before the clock starts. */
export function load(url, plan) {
  return engine.load(url, plan);
}

export function unload() {
  return engine.unload();
}

/** The same request as the product's, without its model. */
export function run(body) {
  return engine.run(body);
}

/** All at once. */
export function runAll(bodies) {
  return engine.runAll(bodies);
}

/** How it goes on after each of the texts. */
export async function goOn(prompts, tokens) {
  const texts = [];
  for (const prompt of prompts) texts.push(await engine.goOn({ prompt, tokens }));
  return texts;
}

/** Speeds of prefill and decode of a text completion, by the engine's own clock. */
export function complete(request) {
  return engine.complete(request);
}
