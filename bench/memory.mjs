// How much memory a pull takes while it runs: the most above what the browser had just before.
import { setTimeout as sleep } from 'node:timers/promises';
import { interleave, median, printTable, spread } from './figures.mjs';
import { MemoryWatch } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const goalMegabytes = 64;
const settleMs = 3000;

export async function measure(app, { megabytes, rounds, header }) {
  if (process.platform !== 'linux') return console.log('\nMemory is read from /proc, which only Linux has.');
  const models = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const growths = await interleave(rounds, {
    network: () => growthDuring(app, models, ({ host, model }) => host.call('baselines.fetchMs', model)),
    pull: () => growthDuring(app, models, ({ host, model }) => host.call('daemon.pullMs', model.from)),
  });
  const grown = (name, part) => growths[name].map((growth) => growth[part] / megabyte);
  printTable(`Memory while ${megabytes} MB are pulled`, [
    {
      what: 'pull, growth of the renderers, MB',
      result: spread(grown('pull', 'renderers')),
      goal: `≤ ${goalMegabytes}`,
      met: median(grown('pull', 'renderers')) <= goalMegabytes,
    },
    { what: 'pull, growth of the whole browser, MB', result: spread(grown('pull', 'tree')) },
    { what: 'fetch and drop, growth of the renderers, MB', result: spread(grown('network', 'renderers')) },
  ]);
}

/** In a fresh browser: what grew before stays grown, and would hide what the pull takes. */
function growthDuring(app, models, run) {
  return onStage(app, { models }, async ({ host, model, browser }) => {
    const watch = new MemoryWatch(browser.pid);
    await sleep(settleMs);
    const before = watch.sample();
    watch.start();
    try {
      await run({ host, model: model('bench/noise') });
    } finally {
      watch.stop();
    }
    const { most } = watch;
    return { renderers: most.renderers - before.renderers, tree: most.tree - before.tree };
  });
}
