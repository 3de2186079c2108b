// How much memory a pull takes while it runs: the most above what the browser had just before.
import { setTimeout as sleep } from 'node:timers/promises';
import { median, printTable, spread } from './figures.mjs';
import { findBrowser, MemoryWatch } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const goalMegabytes = 64;
const settleMs = 3000;

export async function memory(app, { megabytes, rounds, header }) {
  if (process.platform !== 'linux') return console.log('\nMemory is read from /proc, which only Linux has.');
  const models = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const growths = [];
  for (let round = 0; round < rounds; round++) growths.push(await onStage(app, { models }, measure));
  const renderers = growths.map((growth) => growth.renderers / megabyte);
  const tree = growths.map((growth) => growth.tree / megabyte);
  printTable(`Memory while ${megabytes} MB are pulled`, [
    {
      what: 'growth of the renderers, MB',
      result: spread(renderers),
      goal: `≤ ${goalMegabytes}`,
      met: median(renderers) <= goalMegabytes,
    },
    { what: 'growth of the whole browser, MB', result: spread(tree) },
  ]);
}

/** In a fresh browser: what grew before stays grown, and would hide what the pull takes. */
async function measure({ host, model, profileDir }) {
  const watch = new MemoryWatch(findBrowser(profileDir));
  await sleep(settleMs);
  const before = watch.sample();
  watch.start();
  try {
    await host.call('daemon.pullMs', model('bench/noise').from);
  } finally {
    watch.stop();
  }
  const { most } = watch;
  return { renderers: most.renderers - before.renderers, tree: most.tree - before.tree };
}
