// Push, export and load against moving the same bytes plainly.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;

export async function measure(app, { megabytes, rounds, header }) {
  const models = [{ name: 'bench/noise', file: header, sizeBytes: megabytes * megabyte }];
  const times = await onStage(app, { models }, ({ host, model }) =>
    measureAll(host, model('bench/noise'), rounds),
  );
  printTable(`Push, export and load of ${megabytes} MB`, [
    { what: 'read and drop, MB/s', result: rates(times.read, megabytes) },
    { what: 'export, MB/s', result: rates(times.export, megabytes) },
    ratioRow('export / read and drop', times.read, times.export, 0.8),
    { what: 'send in one request, MB/s', result: rates(times.send, megabytes) },
    { what: 'push, MB/s', result: rates(times.push, megabytes) },
    ratioRow('push / send in one request', times.send, times.push, 0.8),
    { what: 'write and hash from memory, MB/s', result: rates(times.write, megabytes) },
    { what: 'load from a tar, MB/s', result: rates(times.load, megabytes) },
    ratioRow('load / write and hash', times.write, times.load, 0.9),
  ]);
}

function ratioRow(what, plain, ours, goal) {
  const values = ratios(plain, ours);
  return { what, result: spread(values, 2), goal: `≥ ${goal.toFixed(2)}`, met: median(values) >= goal };
}

function rates(times, megabytes) {
  return spread(times.map((ms) => (megabytes * 1000) / ms));
}

/** Every push goes to a repository of its own, so that nothing of it is there. */
async function measureAll(host, model, rounds) {
  const registry = model.from.split('/')[0];
  await host.call('daemon.pullMs', model.from);
  await host.call('daemon.keepExport', model.from);
  let pushes = 0;
  return interleave(rounds, {
    read: () => host.call('baselines.readMs'),
    export: async () => (await host.call('daemon.exportMs', model.from)).ms,
    send: () => host.call('baselines.sendMs', `http://${registry}/sink`),
    push: () => host.call('daemon.pushMs', model.from, `${registry}/bench/push-${++pushes}`),
    write: () => host.call('baselines.writeMs', model),
    load: async () => {
      await host.call('daemon.purge');
      const ms = await host.call('daemon.loadMs');
      await host.call('daemon.tag', 'bench/loaded', model.from);
      return ms;
    },
  });
}
