// Memory and processor time of a process and all below it, from Linux's /proc.
import { readdirSync, readFileSync } from 'node:fs';

const intervalMs = 200;
/** USER_HZ, which Linux has fixed at 100 for programs. */
const ticksPerSecond = 100;

export class MemoryWatch {
  #browser;
  #timer;
  most = { renderers: 0, tree: 0 };

  /** @param {number} browser the process id of the browser itself */
  constructor(browser) {
    this.#browser = browser;
  }

  start() {
    this.#timer = setInterval(() => this.#take(), intervalMs);
  }

  stop() {
    clearInterval(this.#timer);
    this.#take();
  }

  /** Bytes now. PSS: a page that n processes share counts an n-th in each. */
  sample() {
    const processes = treeOf(this.#browser);
    return {
      renderers: sum(processes.filter(isRenderer).map(pssBytes)),
      tree: sum(processes.map(pssBytes)),
    };
  }

  #take() {
    const { renderers, tree } = this.sample();
    this.most = {
      renderers: Math.max(this.most.renderers, renderers),
      tree: Math.max(this.most.tree, tree),
    };
  }
}

/**
 * What `run` returns, and the processor time that this program and all that it started have used meanwhile, in seconds
 * of one core; `NaN` where there is no /proc.
 */
export async function withCoreSeconds(run) {
  const before = coreSeconds();
  const result = await run();
  return { result, coreSeconds: coreSeconds() - before };
}

function coreSeconds() {
  if (process.platform !== 'linux') return NaN;
  return sum(treeOf(process.pid).map(ticksOf)) / ticksPerSecond;
}

function treeOf(root) {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

function processIds() {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function parentOf(pid) {
  return Number(/^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1]);
}

/** User and system time: the 14th and 15th field, and the 2nd is a name in brackets that may hold anything. */
function ticksOf(pid) {
  const fields = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function isRenderer(pid) {
  return read(pid, 'cmdline').includes('--type=renderer');
}

function pssBytes(pid) {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? 0) * 1024;
}

/** A process may end while it is looked at; then it has nothing. */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
