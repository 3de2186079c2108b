// web-llm alone, in a worker as the runner has it, with its own caches and its own way to load. A load starts a worker of
// its own, as the runner's does.
/* global Worker, location */
import { wrap } from 'comlink';

const state = { worker: undefined, engine: undefined };

/** Milliseconds from nothing to a model that answers; `backend` is one of web-llm's caches: cache, opfs. */
export async function load(folder, contextSize, backend) {
  const startMs = performance.now();
  state.worker = new Worker(new URL('./mlc.worker.mjs', import.meta.url), { type: 'module', name: 'mlc' });
  state.engine = wrap(state.worker);
  await state.engine.load(new URL(folder, location.href).href, contextSize, backend);
  return performance.now() - startMs;
}

/** The only sure release of what a GPU holds. */
export function unload() {
  state.worker?.terminate();
}

/** The same request as the product's, without its model. */
export function run(body) {
  return state.engine.run(body);
}
