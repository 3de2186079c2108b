// A pull against the network alone and the disk alone: what it adds to the slower of the two.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const throttledBytesPerSecond = 40 * megabyte;

export async function pull(app, { megabytes, rounds, header }) {
  await measure(app, { title: `Pull of ${megabytes} MB from the loopback`, megabytes, rounds, header });
  const throttledMegabytes = Math.ceil(megabytes / 4);
  await measure(app, {
    title: `Pull of ${throttledMegabytes} MB from a registry that sends 40 MB/s`,
    megabytes: throttledMegabytes,
    rounds,
    header,
    bytesPerSecond: throttledBytesPerSecond,
  });
}

async function measure(app, { title, megabytes, rounds, header, bytesPerSecond }) {
  const models = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const rates = await onStage(app, { models, bytesPerSecond }, ({ host, model }) =>
    measureRates(host, model('bench/noise'), rounds),
  );
  const floors = rates.network.map((network, round) => Math.min(network, rates.disk[round]));
  const ratio = ratios(rates.pull, floors);
  printTable(title, [
    { what: 'fetch and drop, MB/s', result: spread(rates.network) },
    { what: 'write and hash from memory, MB/s', result: spread(rates.disk) },
    { what: 'pull, MB/s', result: spread(rates.pull) },
    { what: 'pull / slower of the two', result: spread(ratio, 2), goal: '≥ 0.90', met: median(ratio) >= 0.9 },
  ]);
}

async function measureRates(host, model, rounds) {
  const rate = (tookMs) => model.sizeBytes / megabyte / (tookMs / 1000);
  return interleave(rounds, {
    network: async () => rate(await host.call('baselines.fetchMs', model)),
    disk: async () => rate(await host.call('baselines.writeMs', model)),
    pull: async () => {
      const tookMs = await host.call('daemon.pullMs', model.from);
      await host.call('daemon.remove', model.from);
      return rate(tookMs);
    },
  });
}
