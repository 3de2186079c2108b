// Whether loading and unloading again and again leaves something behind: the browser's memory after the third time and
// after the last.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './figures.mjs';
import { MemoryWatch } from './processes.mjs';
import { onStage } from './stage.mjs';

const megabyte = 1e6;
/** What the first loads leave is caches that are filled once. */
const settled = 3;
const goal = 1.05;
/** The garbage collector comes when it likes; the least of some samples is what it cannot take away. */
const samples = 10;
const sampleMs = 500;

export async function measure(app, { cycles, ggufs }) {
  if (process.platform !== 'linux') return console.log('\nMemory is read from /proc, which only Linux has.');
  for (const { name, file } of ggufs) {
    const models = [{ name: 'bench/model', file }];
    print(
      `llama.cpp, ${name}`,
      await onStage(app, { models }, (stage) => repeat(stage, stage.model('bench/model').from, cycles)),
    );
  }
  const mlcOf = ({ host }) => `${new URL(host.url).host}/sampan/tiny-mlc`;
  print('WebLLM, tiny', await onStage(app, { models: [] }, (stage) => repeat(stage, mlcOf(stage), cycles)));
}

async function repeat({ host, browser }, from, cycles) {
  const watch = new MemoryWatch(browser.pid);
  await host.call('daemon.pullMs', from);
  const after = [];
  for (let cycle = 1; cycle <= cycles; cycle++) {
    await host.call('daemon.preload', from);
    await host.call('daemon.unload');
    if (cycle === settled || cycle === cycles) after.push(await least(watch));
  }
  return { cycles, after };
}

async function least(watch) {
  let bytes = Infinity;
  for (let sample = 0; sample < samples; sample++) {
    await sleep(sampleMs);
    bytes = Math.min(bytes, watch.sample().tree);
  }
  return bytes;
}

function print(title, { cycles, after: [early, late] }) {
  const ratio = late / early;
  printTable(`${cycles} loads and unloads, ${title}`, [
    { what: `browser after ${settled}, MB`, result: (early / megabyte).toFixed(0) },
    { what: `browser after ${cycles}, MB`, result: (late / megabyte).toFixed(0) },
    {
      what: `after ${cycles} / after ${settled}`,
      result: ratio.toFixed(3),
      goal: `≤ ${goal.toFixed(3)}`,
      met: ratio <= goal,
    },
  ]);
}
