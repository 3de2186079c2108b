// Asks the daemon by the app's own direct channel, without the service worker.
/* global caches */
import { Client } from '#lib/bridge/client.ts';

const client = new Client();

/** Milliseconds from the request to the end of the pull, from `from` into an empty store. */
export async function pullMs(from) {
  const startMs = performance.now();
  const text = await ask('/models/create', { from }, { accept: 'application/json' });
  const last = JSON.parse(text.trim().split('\n').at(-1));
  if (last.type !== 'success' || last.message.includes('cached'))
    throw new Error(`The pull: ${last.message}`);
  return performance.now() - startMs;
}

export async function purge() {
  const response = await client.fetch('/models/purge', { method: 'DELETE' });
  if (!response.ok) throw new Error(await response.text());
}

/** `name` without a tag. */
export function tag(model, name) {
  return ask(`/models/${model}/tag?repo=${name}&tag=latest`, {});
}

export async function remove(from) {
  const response = await client.fetch(`/models/${from}`, { method: 'DELETE' });
  if (!response.ok) throw new Error(await response.text());
}

/** Milliseconds until the model is loaded. */
export async function preload(model) {
  const startMs = performance.now();
  await ask('/engines/v1/chat/completions', { model }, { 'x-preload-only': 'true' });
  return performance.now() - startMs;
}

export function unload() {
  return ask('/engines/unload', { all: true });
}

/** How the engine runs the loaded model, and the llama.cpp that it fetched for it. */
export async function plan() {
  const [runner] = JSON.parse(await ask('/engines/ps'));
  const { threads } = await describe();
  return { contextSize: runner.context_size, device: runner.device, threads, wasmUrl: await findWasm() };
}

/** What this browser is, for the report. */
export async function describe() {
  const { isolated, threads, gpu } = JSON.parse(await ask('/_sampan/status'));
  return { isolated, threads, gpu, cores: navigator.hardwareConcurrency };
}

async function ask(path, body, headers = {}) {
  const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await client.fetch(path, init);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** The service worker keeps the engine's file in a cache of its own; it does so a moment after the load. */
async function findWasm() {
  for (;;) {
    for (const name of (await caches.keys()).filter((key) => key.startsWith('sampan-engine-'))) {
      const urls = (await (await caches.open(name)).keys()).map((request) => request.url);
      const found = urls.find((url) => url.endsWith('.wasm'));
      if (found) return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Milliseconds to bring the file in, its digest unknown, and its digest. */
export async function uploadFile(file) {
  const startMs = performance.now();
  const response = await client.fetch('/_sampan/blobs', { method: 'POST', body: file });
  if (!response.ok) throw new Error(await response.text());
  const { digest } = await response.json();
  return { digest, ms: performance.now() - startMs };
}

/** Milliseconds until the export of the model was read to its end, and its size. */
export async function exportMs(model) {
  const startMs = performance.now();
  const response = await client.fetch(`/models/${model}/export`);
  if (!response.ok) throw new Error(await response.text());
  return { sizeBytes: await drain(response.body), ms: performance.now() - startMs };
}

/** Exports the model into a file of the tab's own storage, which `loadMs` reads. */
export async function keepExport(model) {
  const response = await client.fetch(`/models/${model}/export`);
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle('bench.tar', { create: true });
  await response.body.pipeTo(await file.createWritable());
}

export async function loadMs() {
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getFileHandle('bench.tar')).getFile();
  const startMs = performance.now();
  const response = await client.fetch('/models/load?name=bench/loaded', {
    method: 'POST',
    body: file,
    headers: { accept: 'application/json' },
  });
  const last = JSON.parse((await response.text()).trim().split('\n').at(-1));
  if (last.type !== 'success') throw new Error(last.message);
  return performance.now() - startMs;
}

/** Milliseconds to push the model to the name it is given. */
export async function pushMs(model, repository) {
  await tag(model, repository);
  const startMs = performance.now();
  const text = await ask(`/models/${repository}/push`, {}, { accept: 'application/json' });
  const last = JSON.parse(text.trim().split('\n').at(-1));
  if (last.type !== 'success') throw new Error(last.message);
  return performance.now() - startMs;
}

async function drain(stream) {
  const reader = stream.getReader();
  let sizeBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return sizeBytes;
    sizeBytes += value.byteLength;
  }
}
