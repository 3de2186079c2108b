// llama.cpp on the CPU: every build that can run here and native llama.cpp side by side, on one thread and on two, with a
// real model and a K-quant that is made of it.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interleave, median, printTable, spread } from './figures.mjs';
import { nativeTools } from './native.mjs';
import { onStage } from './stage.mjs';

const promptWords = 128;
const generatedTokens = 64;
const threadCounts = [1, 2];
const nativeName = 'native';
const packageBuilds = ['package', 'package, compat'];
/** Decode and prefill of our builds against native, by threads, and against the better one of the package. */
const goals = { decode: { 1: 0.6, 2: 0.8 }, prefill: { 1: 0.6, 2: 0.6 }, package: 4 };

export async function measure(app, { rounds, ggufs }) {
  const real = ggufs.filter(({ isTiny }) => !isTiny);
  if (real.length === 0) {
    console.log('\nThe tiny model tells nothing of kernels. See --gguf.');
    return;
  }
  const native = nativeTools();
  const scratch = await mkdtemp(join(tmpdir(), 'sampan-bench-wasm-'));
  try {
    for (const gguf of withKQuant(real, native, scratch)) await measureModel(app, { gguf, rounds, native });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The real models, and the last of them once more as Q4_K_M. */
function withKQuant(real, native, scratch) {
  const source = real.at(-1);
  const file = join(scratch, 'k-quant.gguf');
  execFileSync(join(native, 'llama-quantize'), ['--allow-requantize', source.file, file, 'Q4_K_M'], {
    stdio: 'ignore',
  });
  return [...real, { ...source, name: `${source.name} as Q4_K_M`, file }];
}

async function measureModel(app, { gguf, rounds, native }) {
  const { name, file } = gguf;
  const { names, speeds } = await onStage(app, { models: [{ name: 'bench/model', file }] }, async (stage) => {
    const { host, model } = stage;
    const builds = await host.call('builds.listBuilds');
    const ways = Object.fromEntries(
      threadCounts.flatMap((threads) => [
        ...builds.map((build) => [
          keyOf(build.name, threads),
          () => speedOf(host, model('bench/model').url, { build, inForce: inForceOf(threads) }),
        ]),
        [keyOf(nativeName, threads), () => nativeSpeed(native, file, threads)],
      ]),
    );
    return { names: builds.map((build) => build.name), speeds: await interleave(rounds, ways) };
  });
  for (const threads of threadCounts) print(name, { names, speeds, threads, rounds });
}

function keyOf(build, threads) {
  return `${build}, ${threads}`;
}

/** Read like the app's own parameters; one load for each, so that none has another's heap. */
function inForceOf(threads) {
  return {
    context_size: 512,
    gpu_layers: 0,
    threads,
    cache_type_k: 'f16',
    cache_type_v: 'f16',
    flash_attention: true,
    parallel: 1,
  };
}

async function speedOf(host, url, plan) {
  const loadMs = await host.call('bare.load', url, plan);
  try {
    const prompt = (opening) => `${opening}${' the'.repeat(promptWords - 1)}`;
    await host.call('bare.complete', { prompt: 'Warm', tokens: 4 });
    const prefill = await host.call('bare.complete', { prompt: prompt('A'), tokens: 1 });
    const decode = await host.call('bare.complete', { prompt: 'B the', tokens: generatedTokens });
    return {
      loadMs,
      prefill: prefill.prefillTokensPerSecond,
      decode: decode.decodeTokensPerSecond,
    };
  } finally {
    await host.call('bare.unload');
  }
}

function nativeSpeed(folder, file, threads) {
  const sizes = ['-p', String(promptWords), '-n', String(generatedTokens), '-t', String(threads)];
  const shape = ['-m', file, '-ngl', '0', '-b', '128', '-ub', '128', '-r', '1', '-o', 'json'];
  const tests = JSON.parse(
    execFileSync(join(folder, 'llama-bench'), [...shape, ...sizes], { stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  const rate = (isIt) => tests.find(isIt).avg_ts;
  return { prefill: rate(({ n_gen }) => n_gen === 0), decode: rate(({ n_prompt }) => n_prompt === 0) };
}

function print(name, { names, speeds, threads, rounds }) {
  const of = (build, field) => speeds[keyOf(build, threads)]?.map((speed) => speed[field]);
  const rows = [...names, nativeName].flatMap((build) => {
    const [prefill, decode, load] = ['prefill', 'decode', 'loadMs'].map((field) => of(build, field));
    if (!prefill) return [];
    return [
      { what: `${build}: prefill of ${promptWords}, tok/s`, result: spread(prefill, 1) },
      { what: `${build}: decode of ${generatedTokens}, tok/s`, result: spread(decode, 1) },
      ...(load[0] === undefined ? [] : [{ what: `${build}: load, ms`, result: spread(load) }]),
    ];
  });
  const best = (builds, field) =>
    Array.from({ length: rounds }, (_, round) =>
      Math.max(...builds.map((build) => of(build, field)?.[round] ?? 0)),
    );
  const own = names.filter((build) => !packageBuilds.includes(build));
  const ratio = (field, others, goal) => {
    const values = best(own, field).map((value, round) => value / best(others, field)[round]);
    const what = `best own build / ${others.length > 1 ? 'best of the package' : others[0]}, ${field}`;
    return { what, result: spread(values, 2), goal: `≥ ${goal.toFixed(2)}`, met: median(values) >= goal };
  };
  if (own.length > 0) rows.push(ratio('decode', packageBuilds, goals.package));
  if (own.length > 0) {
    for (const field of ['decode', 'prefill']) rows.push(ratio(field, [nativeName], goals[field][threads]));
  }
  printTable(`CPU, ${name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`, rows);
}
