// Everything a measurement stands on: a copy of the built app with the bench's own page code added, a companion that
// serves it, a registry, and a Chromium whose profile is on disk (an incognito one keeps its files in memory).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { Browser } from './browser.mjs';

const pageDir = fileURLToPath(new URL('./page', import.meta.url));
/** The files of page/ that a tab can be asked to call. */
const parts = ['daemon', 'baselines', 'stream', 'bare', 'mlc', 'disk', 'builds'];
const mlcDir = fileURLToPath(new URL('../tests/fixtures/tiny-mlc', import.meta.url));
/** Large files as assets take their time. */
const quiet = { bundlerTimings: false };
const registryScript = fileURLToPath(new URL('./registry.mjs', import.meta.url));

/** @typedef {Awaited<ReturnType<typeof copyApp>>} App */

/** A copy of the build in `buildDir`, so that nothing of the bench gets into the product. */
export async function copyApp(buildDir, { reducedMotion }) {
  const dir = await mkdtemp(join(tmpdir(), 'sampan-bench-'));
  await cp(buildDir, dir, { recursive: true });
  await build({
    configFile: false,
    root: pageDir,
    base: '/bench/',
    logLevel: 'warn',
    publicDir: false,
    worker: { format: 'es', rolldownOptions: { checks: quiet } },
    build: {
      outDir: join(dir, 'app', 'bench'),
      emptyOutDir: true,
      target: 'es2023',
      rolldownOptions: {
        checks: quiet,
        input: parts.map((part) => join(pageDir, `${part}.mjs`)),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js' },
      },
    },
  });
  await cp(mlcDir, join(dir, 'app', 'bench', 'tiny-mlc', 'resolve', 'main'), { recursive: true });
  return { dir, reducedMotion, remove: () => remove(dir) };
}

/**
 * Runs `play` in a fresh browser on a fresh profile, and takes everything down after it.
 * `companion` is the process id of the companion.
 * @param {App} app
 * @param {{ models: readonly object[], bytesPerSecond?: number }} registry see registry.mjs
 */
export async function onStage(app, registry, play) {
  const closers = [];
  try {
    const model = await startRegistry(registry, closers);
    const { url, pid: companion } = await startCompanion(app.dir, closers);
    const profileDir = await mkdtemp(join(tmpdir(), 'sampan-bench-profile-'));
    closers.push(() => remove(profileDir));
    const browser = await Browser.launch(profileDir, { reducedMotion: app.reducedMotion });
    closers.push(() => browser.close());
    const openAnother = () => openTab(browser, url);
    const stage = { model, browser, companion, version: browser.version, openTab: openAnother };
    return await play({ ...stage, host: await openAnother() });
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** A tab of the app; `call('daemon.pullMs', from)` runs a function of page/daemon.mjs in it. */
async function openTab(browser, url) {
  const run = await browser.openTab(`${url}/models`);
  // Code cannot run before there is a page.
  while (!(await run(isServed).catch(() => false))) await sleep(50);
  const call = (name, ...args) => {
    const [part, method] = name.split('.');
    return run(`import('/bench/${part}.js').then((part) => part.${method}(...${JSON.stringify(args)}))`);
  };
  return { url, call };
}

/** In the page: whether its `fetch` goes through the service worker to a host. */
const isServed = `(async () => !!navigator.serviceWorker?.controller && (await fetch('/version')).ok)()`;

/** Resolves with a function that tells of a model by its name. */
async function startRegistry(options, closers) {
  const { line } = await firstLine(registryScript, [JSON.stringify(options)], closers);
  const { models, port } = JSON.parse(line);
  return (name) => ({
    ...models[name],
    from: `localhost:${port}/${name}`,
    url: `http://localhost:${port}${models[name].path}`,
  });
}

async function startCompanion(dir, closers) {
  const main = join(dir, 'server', 'main.js');
  const { line, pid } = await firstLine(main, ['--no-open', '--port', '0'], closers);
  return { url: line.replace(/^.* at /, ''), pid };
}

/** Starts a Node program and resolves with the first line it prints, and its process id. */
async function firstLine(script, args, closers) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = () => void child.kill();
  process.once('exit', kill);
  closers.push(async () => {
    process.off('exit', kill);
    kill();
    await exited;
  });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`${script} ended with ${code} before it was ready.`))),
  ]);
  return { line, pid: child.pid };
}

function remove(dir) {
  return rm(dir, { recursive: true, force: true, maxRetries: 5 });
}
