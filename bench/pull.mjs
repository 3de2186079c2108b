// A pull against the network alone and the disk alone: what it adds to the slower of the two.
import { availableParallelism } from 'node:os';
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { withCoreSeconds } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const throttledBytesPerSecond = 40 * megabyte;

export async function measure(app, { megabytes, rounds, header }) {
  await measureAt(app, { title: `Pull of ${megabytes} MB from the loopback`, megabytes, rounds, header });
  const throttledMegabytes = Math.ceil(megabytes / 2);
  await measureAt(app, {
    title: `Pull of ${throttledMegabytes} MB from a registry that sends 40 MB/s`,
    megabytes: throttledMegabytes,
    rounds,
    header,
    bytesPerSecond: throttledBytesPerSecond,
  });
}

async function measureAt(app, { title, megabytes, rounds, header, bytesPerSecond }) {
  const models = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const { network, disk, pull } = await onStage(app, { models, bytesPerSecond }, ({ host, model }) =>
    measureAll(host, model('bench/noise'), rounds),
  );
  const ratio = ratios(
    pull.map(({ rate }) => rate),
    network.map(({ rate }, round) => Math.min(rate, disk[round].rate)),
  );
  const rates = (runs) => spread(runs.map(({ rate }) => rate));
  printTable(title, [
    { what: 'fetch and drop, MB/s', result: rates(network) },
    { what: 'write and hash from memory, MB/s', result: rates(disk) },
    { what: 'pull, MB/s', result: rates(pull) },
    { what: 'pull / slower of the two', result: spread(ratio, 2), goal: '≥ 0.90', met: median(ratio) >= 0.9 },
    ...processorRows({ network, disk, pull }),
  ]);
}

/**
 * Where every core is busy, two works done at once take not the time of the slower one but that of both over the cores;
 * these rows tell whether that is so.
 */
function processorRows({ network, disk, pull }) {
  if (Number.isNaN(network[0].coreSeconds)) return [];
  const seconds = (runs) => runs.map(({ coreSeconds }) => coreSeconds);
  const both = seconds(network).map((value, round) => value + seconds(disk)[round]);
  const ceilings = both.map((value) => (1000 * availableParallelism()) / value);
  return [
    { what: 'both at once on all cores, at most MB/s', result: spread(ceilings) },
    { what: 'fetch and drop, core seconds per GB', result: spread(seconds(network), 1) },
    { what: 'write and hash, core seconds per GB', result: spread(seconds(disk), 1) },
    { what: 'pull, core seconds per GB', result: spread(seconds(pull), 1) },
    { what: 'pull / both together, core seconds', result: spread(ratios(seconds(pull), both), 2) },
  ];
}

async function measureAll(host, model, rounds) {
  const gigabytes = model.sizeBytes / 1e9;
  const measured = async (name, argument) => {
    const { result, coreSeconds } = await withCoreSeconds(() => host.call(name, argument));
    return { rate: (gigabytes * 1e6) / result, coreSeconds: coreSeconds / gigabytes };
  };
  return interleave(rounds, {
    network: () => measured('baselines.fetchMs', model),
    disk: () => measured('baselines.writeMs', model),
    pull: async () => {
      const pulled = await measured('daemon.pullMs', model.from);
      await host.call('daemon.remove', model.from);
      return pulled;
    },
  });
}
