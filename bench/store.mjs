// The store by itself: garbage collection, the index with many models, and a file on its way in and read again.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const blobs = 10_000;
const models = 500;
const configBytes = 20_000;
const indexRounds = 15;
const pageDir = fileURLToPath(new URL('./page', import.meta.url));

export async function measure(app, { megabytes, rounds, header }) {
  await addPage(app);
  await measureCollection(app, rounds);
  await measureIndex(app);
  await measureFile(app, { megabytes, rounds, header });
}

async function measureCollection(app, rounds) {
  const times = await onStage(app, { models: [] }, async ({ host }) => {
    const collect = (garbage) => () => host.call('store.collectMs', blobs, garbage);
    return interleave(rounds, { none: collect(0), some: collect(blobs / 10), all: collect(blobs) });
  });
  printTable(`Garbage collection among ${blobs} blobs`, [
    { what: 'none is garbage, ms', result: spread(times.none) },
    { what: 'a tenth is garbage, ms', result: spread(times.some) },
    { what: 'all are garbage, ms', result: spread(times.all), goal: '< 2000', met: median(times.all) < 2000 },
  ]);
}

async function measureIndex(app) {
  const times = await onStage(app, { models: [] }, async ({ host }) => {
    await host.call('store.fillIndex', models, configBytes);
    return interleave(indexRounds, {
      list: () => host.call('store.indexMs', 'list'),
      find: () => host.call('store.indexMs', 'find'),
      touch: () => host.call('store.indexMs', 'touch'),
    });
  });
  printTable(`Index of ${models} models with configs of ${configBytes / 1000} kB`, [
    { what: 'list, ms', result: spread(times.list, 1), goal: '≤ 25.0', met: median(times.list) <= 25 },
    { what: 'find by tag, ms', result: spread(times.find, 1) },
    { what: 'note a use, ms', result: spread(times.touch, 1) },
  ]);
}

async function measureFile(app, { megabytes, rounds, header }) {
  const served = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const times = await onStage(app, { models: served }, async ({ host, model }) => {
    const noise = model('bench/noise');
    await host.call('store.prepare', noise);
    await host.call('store.ingestMs');
    const measured = (name, ...args) => withCoreSeconds(() => host.call(name, ...args));
    return interleave(rounds, {
      disk: () => measured('baselines.writeMs', noise),
      ingest: () => measured('store.ingestMs'),
      verify: () => measured('store.verifyMs'),
    });
  });
  const rates = (name) => times[name].map(({ result }) => (megabytes * 1000) / result);
  const cores = (name) => times[name].map(({ coreSeconds }) => (coreSeconds * 1000) / megabytes);
  const ratio = ratios(rates('ingest'), rates('disk'));
  printTable(`A file of ${megabytes} MB`, [
    { what: 'write and hash from memory, MB/s', result: spread(rates('disk')) },
    { what: 'into the store from a file, MB/s', result: spread(rates('ingest')) },
    {
      what: 'from a file / write and hash',
      result: spread(ratio, 2),
      goal: '≥ 0.90',
      met: median(ratio) >= 0.9,
    },
    { what: 'read again and hashed, MB/s', result: spread(rates('verify')) },
    { what: 'write and hash, core seconds per GB', result: spread(cores('disk'), 1) },
    { what: 'into the store, core seconds per GB', result: spread(cores('ingest'), 1) },
    { what: 'read again, core seconds per GB', result: spread(cores('verify'), 1) },
  ]);
}

/** The page code of this part, beside that of the others. */
function addPage(app) {
  return build({
    configFile: false,
    root: pageDir,
    base: '/bench/',
    logLevel: 'warn',
    publicDir: false,
    worker: { format: 'es' },
    build: {
      outDir: join(app.dir, 'app', 'bench'),
      emptyOutDir: false,
      target: 'es2023',
      rolldownOptions: {
        input: join(pageDir, 'store.mjs'),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js' },
      },
    },
  });
}
