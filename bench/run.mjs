// `npm run bench`: measures the built app in a real Chromium and prints each figure beside its goal. One part alone:
//   node bench/run.mjs pull|stream|load|memory [--mb 512] [--rounds 3] [--gguf model.gguf] [--build folder]
import { cpus, loadavg, type as system } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root } from '#scripts/setup.mjs';

const tiny = join(root, 'tests', 'fixtures', 'tiny.gguf');

ensureDependencies();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Size of what `pull` and `memory` pull. */
    mb: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    /** The model of `stream` and `load`. */
    gguf: { type: 'string', default: tiny },
    /** Measures this build instead of building the sources. */
    build: { type: 'string' },
  },
});
if (values.build === undefined) ensureBuild();

// After the dependencies are sure to be there.
const { copyApp, onStage } = await import('./stage.mjs');
const { load } = await import('./load.mjs');
const { memory } = await import('./memory.mjs');
const { pull } = await import('./pull.mjs');
const { stream } = await import('./stream.mjs');

const megabytes = (usual) => Number(values.mb ?? usual);
const options = {
  rounds: Number(values.rounds),
  header: tiny,
  gguf: resolve(values.gguf),
  isTiny: resolve(values.gguf) === tiny,
};
const parts = {
  pull: (app) => pull(app, { ...options, megabytes: megabytes(512) }),
  stream: (app) => stream(app, options),
  load: (app) => load(app, options),
  memory: (app) => memory(app, { ...options, megabytes: megabytes(1024) }),
};
const unknown = positionals.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`There is no part “${unknown[0]}”. The parts are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}

const app = await copyApp(resolve(values.build ?? join(root, 'build')));
try {
  await printMachine();
  const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
  for (const name of wanted) await parts[name](app);
} finally {
  await app.remove();
}

/** The facts without which no figure means anything. */
async function printMachine() {
  const { version, isolated, threads, gpu } = await onStage(
    app,
    { models: [] },
    async ({ host, version }) => ({
      ...(await host.call('daemon.describe')),
      version,
    }),
  );
  const [processor] = cpus();
  console.log(
    `${system()}, ${cpus().length} × ${processor?.model ?? 'unknown processor'}, Chromium ${version}`,
  );
  console.log(`isolated: ${isolated}, threads: ${threads}, GPU: ${gpu?.name ?? 'none'}`);
  console.log(
    `model: ${options.isTiny ? 'tiny' : options.gguf}, load of the machine: ${loadavg()[0]?.toFixed(1)}`,
  );
}
