// A model that is stored, into the engine: WebLLM by the app against web-llm with caches of its own; and what each of
// them keeps on the disk. llama.cpp's warm load is the part `load`.
import { interleave, median, printTable, ratios, spread } from './figures.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
const mlcFolder = '/bench/tiny-mlc';
const backends = ['cache', 'opfs'];

export async function measure(app, { rounds, ggufs }) {
  const { times, disk } = await onStage(app, { models: [] }, (stage) => measureWebLlm(stage, rounds));
  const kept = ratios(times.app, times.opfs);
  printTable('Warm load, WebLLM, tiny', [
    { what: 'by the app, ms', result: spread(times.app) },
    ...backends.map((backend) => ({
      what: `by web-llm from its own ${backend}, ms`,
      result: spread(times[backend]),
    })),
    {
      what: 'app / web-llm with opfs',
      result: spread(kept, 3),
      goal: '≤ 1.050',
      met: median(kept) <= 1.05,
    },
  ]);
  printDisk('WebLLM, tiny', disk);
  for (const { name, file } of ggufs) {
    const models = [{ name: 'bench/model', file }];
    printDisk(
      `llama.cpp, ${name}`,
      await onStage(app, { models }, ({ host, model }) => diskOf(host, model('bench/model').from)),
    );
  }
}

async function measureWebLlm({ host, openTab }, rounds) {
  const from = `${new URL(host.url).host}/sampan/tiny-mlc`;
  const disk = await diskOf(host, from);
  const contextSize = await host.call('daemon.contextSize', from);
  await host.call('daemon.unload');
  const other = await openTab();
  const bare = async (backend) => {
    const ms = await other.call('mlc.load', mlcFolder, contextSize, backend);
    await other.call('mlc.unload');
    return ms;
  };
  const ways = {
    app: async () => {
      const ms = await host.call('daemon.preload', from);
      await host.call('daemon.unload');
      return ms;
    },
    ...Object.fromEntries(backends.map((backend) => [backend, () => bare(backend)])),
  };
  // Fills web-llm's caches.
  await interleave(1, ways);
  return { times: await interleave(rounds, ways), disk };
}

/** Pulls and loads the model, and looks what came to the disk by that. */
async function diskOf(host, from) {
  const [bytes, before] = [await host.call('disk.fileBytes'), await host.call('disk.usage')];
  await host.call('daemon.pullMs', from);
  await host.call('daemon.preload', from);
  const after = await host.call('disk.usage');
  return {
    modelBytes: await host.call('daemon.modelBytes', from),
    fileBytes: (await host.call('disk.fileBytes')) - bytes,
    otherBytes: ['caches', 'indexedDB'].map((kind) => (after[kind] ?? 0) - (before[kind] ?? 0)),
  };
}

function printDisk(title, { modelBytes, fileBytes, otherBytes: [caches, database] }) {
  const ratio = fileBytes / modelBytes;
  const mb = (bytes) => (bytes / megabyte).toFixed(2);
  printTable(`Disk, ${title}`, [
    { what: 'files of the model, MB', result: mb(modelBytes) },
    { what: 'files that came to the store, MB', result: mb(fileBytes) },
    {
      what: 'store / model',
      result: ratio.toFixed(3),
      goal: '≤ 1.010',
      met: ratio <= 1.01,
    },
    { what: 'caches besides (the engine itself), MB', result: mb(caches) },
    { what: 'database besides, MB', result: mb(database) },
  ]);
}
