// What must leave no memory behind on either side of the socket: a large body from a program into the tab, and many
// requests one after the other.
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './figures.mjs';
import { archived } from './package.mjs';
import { ModelBytes } from './page/bytes.mjs';
import { MemoryWatch } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const settleMs = 3000;
/** What is forgotten of a request, be it its headers alone, takes more. */
const flatBytes = 1000;

/** A model of noise into the store, as `docker model` sends its tar; nothing of it may stay in memory on either side. */
export async function measureUpload(app, { megabytes, header }) {
  const tar = archived(new ModelBytes(await readFile(header), megabytes * megabyte));
  const { ms, browser, companion } = await onStage(app, { models: [] }, async (stage) => {
    const url = new URL('/models/load?name=bench/noise', stage.host.url);
    return withMemory(stage, () => uploadMs(url, tar));
  });
  const rate = (megabytes * 1000) / ms;
  printTable(`Upload of ${megabytes} MB through the companion`, [
    { what: 'MB/s', result: rate.toFixed(0), goal: '≥ 100', met: rate >= 100 },
    { what: 'growth of the browser, most, MB', result: megabytesOf(browser.grown) },
    { what: 'growth of the companion, most, MB', result: megabytesOf(companion.grown) },
  ]);
}

async function uploadMs(url, tar) {
  const startMs = performance.now();
  const sent = request(url, { method: 'POST', headers: { 'content-length': tar.sizeBytes } });
  const answered = new Promise((resolve, reject) => sent.on('response', resolve).on('error', reject));
  const [response] = await Promise.all([
    answered,
    pipeline(Readable.from(tar.pieces(), { highWaterMark: 1 }), sent),
  ]);
  const text = (await response.toArray()).join('');
  if (!text.includes('Model loaded successfully'))
    throw new Error(`The upload: ${response.statusCode} ${text}`);
  return performance.now() - startMs;
}

/** The first tenth fills what is filled once. */
export async function measureRequests(app, { requests }) {
  const { each, early, late } = await onStage(app, { models: [] }, async (stage) => {
    const url = new URL('/engines/v1/models', stage.host.url);
    const ask = async (count) => {
      const startMs = performance.now();
      for (let sent = 0; sent < count; sent++) {
        const response = await fetch(url);
        if (!response.ok) throw new Error(`Request ${sent}: ${response.status} ${await response.text()}`);
        await response.arrayBuffer();
      }
      return (performance.now() - startMs) / count;
    };
    const first = Math.ceil(requests / 10);
    await ask(first);
    const early = await memoryOf(stage);
    const each = await ask(requests - first);
    return { each, early, late: await memoryOf(stage) };
  });
  const rows = ['browser', 'companion'].flatMap((part) => {
    const eachBytes = (late[part] - early[part]) / (requests - Math.ceil(requests / 10));
    return [
      {
        what: `${part} after a tenth and after all, MB`,
        result: `${megabytesOf(early[part])}, ${megabytesOf(late[part])}`,
      },
      {
        what: `${part}, growth by a request, bytes`,
        result: eachBytes.toFixed(0),
        goal: `≤ ${flatBytes}`,
        met: eachBytes <= flatBytes,
      },
    ];
  });
  printTable(`${requests} requests one after the other`, [
    { what: 'each, ms', result: each.toFixed(2) },
    ...rows,
  ]);
}

function watchesOf({ browser, companion }) {
  return { browser: new MemoryWatch(browser.pid), companion: new MemoryWatch(companion) };
}

async function memoryOf(stage) {
  await sleep(settleMs);
  const { browser, companion } = watchesOf(stage);
  return { browser: browser.sample().tree, companion: companion.sample().tree };
}

async function withMemory(stage, run) {
  const watches = Object.entries(watchesOf(stage));
  await sleep(settleMs);
  const before = watches.map(([, watch]) => watch.sample().tree);
  for (const [, watch] of watches) watch.start();
  try {
    const ms = await run();
    for (const [, watch] of watches) watch.stop();
    const grown = watches.map(([name, watch], index) => [name, { grown: watch.most.tree - before[index] }]);
    return { ms, ...Object.fromEntries(grown) };
  } finally {
    for (const [, watch] of watches) watch.stop();
  }
}

function megabytesOf(bytes) {
  return (bytes / megabyte).toFixed(0);
}
