// A model's way from the disk into the engine, against wllama that has the same bytes in memory.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

export async function measure(app, { rounds, gguf, isTiny }) {
  const times = await onStage(app, { models: [{ name: 'bench/model', file: gguf }] }, (stage) =>
    measureLoads(stage, rounds),
  );
  const [product, bare] = [times.product, times.bare].map((loads) => loads.map(({ result }) => result));
  const cores = (loads) => loads.map(({ coreSeconds }) => coreSeconds * 1000);
  const ratio = ratios(product, bare);
  printTable('Load', [
    { what: 'from OPFS by the app, ms', result: spread(product) },
    { what: 'from memory by wllama alone, ms', result: spread(bare) },
    { what: 'app / wllama alone', result: spread(ratio, 2), goal: '≤ 1.10', met: median(ratio) <= 1.1 },
    { what: 'app, core ms', result: spread(cores(times.product)) },
    { what: 'wllama alone, core ms', result: spread(cores(times.bare)) },
  ]);
  if (isTiny)
    console.log('The tiny model has a megabyte: this is the time it takes to start llama.cpp. See --gguf.');
}

async function measureLoads({ host, model, openTab }, rounds) {
  const { from, url } = model('bench/model');
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const plan = await host.call('daemon.plan', from);
  await host.call('daemon.unload');
  const other = await openTab();
  await other.call('bare.load', url, plan);
  await other.call('bare.unload');
  return interleave(rounds, {
    product: async () => {
      const loaded = await withCoreSeconds(() => host.call('daemon.preload', from));
      await host.call('daemon.unload');
      return loaded;
    },
    bare: async () => {
      const loaded = await withCoreSeconds(() => other.call('bare.load', url, plan));
      await other.call('bare.unload');
      return loaded;
    },
  });
}
