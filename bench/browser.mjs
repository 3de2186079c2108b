// A Chromium on a profile on the disk, driven by the few words of its debugging protocol that only run code in pages.
// Playwright listens to everything that a page sends and receives: each frame of the companion's WebSocket would be
// copied twice more, which costs three quarters of an upload's speed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { chromiumArgs, chromiumPath } from '#scripts/chromium.mjs';

/** As a tab in front of the user runs, however many there are. */
const inFront = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];
const startMs = 30_000;

export class Browser {
  #process;
  #socket;
  #lastId = 0;
  /** What each command waits with, by its number. */
  #waiting = new Map();
  /** For example `Chrome 156.0.8078.79`. */
  version;

  static async launch(profileDir, { reducedMotion }) {
    const args = [
      ...chromiumArgs,
      ...inFront,
      ...(reducedMotion === 'reduce' ? ['--force-prefers-reduced-motion'] : []),
      `--user-data-dir=${profileDir}`,
      '--remote-debugging-port=0',
      'about:blank',
    ];
    const browser = new Browser(spawn(await chromiumPath(), args, { stdio: 'ignore' }));
    try {
      await browser.#connect(profileDir);
    } catch (thrown) {
      await browser.close();
      throw thrown;
    }
    return browser;
  }

  constructor(process) {
    this.#process = process;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Resolves with a function that runs code in the new tab, and with what that code comes to. */
  async openTab(url) {
    const { targetId } = await this.#send('Target.createTarget', { url });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    return async (expression) => {
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await this.#send('Runtime.evaluate', options, sessionId);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
  }

  async close() {
    const exited = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('{"id":0,"method":"Browser.close"}');
    else this.#process.kill();
    await exited;
  }

  async #connect(profileDir) {
    const [port, path] = await readPort(join(profileDir, 'DevToolsActivePort'));
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { maxPayload: 0 });
    this.#socket.on('message', (data) => this.#receive(JSON.parse(data)));
    this.#socket.on('close', () => this.#fail(new Error('The browser is gone.')));
    await once(this.#socket, 'open');
    this.version = (await this.#send('Browser.getVersion')).product.replace('/', ' ');
  }

  #send(method, params = {}, sessionId = undefined) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  #receive({ id, method, result, error }) {
    if (method === 'Inspector.targetCrashed') this.#fail(new Error('A tab crashed.'));
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Chromium writes it when it listens. */
async function readPort(file) {
  const deadlineMs = performance.now() + startMs;
  for (;;) {
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    if (lines.length === 2) return lines;
    if (performance.now() > deadlineMs) throw new Error('Chromium does not start.');
    await sleep(50);
  }
}
