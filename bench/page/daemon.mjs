// Asks the daemon by the app's own direct channel, without the service worker.
/* global caches */
import { Client } from '#lib/bridge/client.ts';
import { listBuilds } from './builds.mjs';

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
export async function plan(model) {
  const { in_force: inForce } = JSON.parse(await ask(`/_sampan/models/${model}`));
  return { inForce, build: await findBuild() };
}

/** Of the loaded model, in tokens. */
export async function contextSize(model) {
  return JSON.parse(await ask(`/_sampan/models/${model}`)).in_force.context_size;
}

/** Settings of the model, for its next load. */
export async function configure(model, settings) {
  const init = { method: 'PUT', body: JSON.stringify(settings) };
  const response = await client.fetch(`/_sampan/models/${model}/settings`, init);
  if (!response.ok) throw new Error(await response.text());
}

/** Tokens of the text, counted without the engine. */
export async function countTokens(model, content) {
  return JSON.parse(await ask('/tokenize', { model, content })).count;
}

/** Bytes of the model's files as its manifest has them. */
export async function modelBytes(model) {
  const { files } = JSON.parse(await ask(`/_sampan/models/${model}`));
  return files.reduce((sum, { size_bytes: sizeBytes }) => sum + sizeBytes, 0);
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

const patienceMs = 30_000;

/** The service worker keeps the engine's file in a cache of its own, a moment after the load. The last one is in force. */
async function findBuild() {
  const builds = await listBuilds();
  const startMs = performance.now();
  for (;;) {
    const kept = await keptEngineBytes();
    const found = builds.find(({ bytes }) => bytes === kept.at(-1));
    if (found) return found;
    if (performance.now() - startMs > patienceMs)
      throw new Error(
        `The cache holds engines of ${kept.join(', ')} bytes, and none of them is a known build.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In the order in which they were fetched. */
async function keptEngineBytes() {
  const sizes = [];
  for (const name of (await caches.keys()).filter((key) => key.startsWith('sampan-engine-'))) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      if (!new URL(request.url).pathname.endsWith('.wasm')) continue;
      sizes.push((await (await cache.match(request)).blob()).size);
    }
  }
  return sizes;
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
