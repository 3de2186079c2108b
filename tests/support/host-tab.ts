/**
 * One companion, one browser with a profile on disk and one tab in it that runs the built-in model, for all the tests of
 * a worker. A test opens tabs of its own beside it; what it does to the store is undone before the next one.
 */
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import type { Companion } from '#server/companion.ts';
import { openBrowser, ready, serveApp, tinyOn, withProfile } from './app.ts';
import { freePort } from './free-port.ts';

/** The one other origin that may use the API. */
export const allowedOrigin = 'http://app.example:3000';

export class HostTab {
  /** Where programs send their requests, and where the pages are. */
  readonly url: string;
  /** The built-in model's reference. It is stored when a test begins. */
  readonly model: string;
  readonly context: BrowserContext;
  /** The port of the one private registry that the relay may reach. Nothing listens on it by itself. */
  readonly privatePort: number;
  #page: Page;

  constructor(companion: Companion, page: Page, privatePort: number) {
    this.url = companion.url;
    this.model = tinyOn(companion);
    this.context = page.context();
    this.privatePort = privatePort;
    this.#page = page;
  }

  /** The tab whose worker is the runner. */
  get page(): Page {
    return this.#page;
  }

  async open(path: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.url + path);
    await ready(page);
    return page;
  }

  /** For a test that has closed the host tab. */
  async restore(): Promise<void> {
    if (this.#page.isClosed()) this.#page = await this.open('/requests');
  }

  /** The built-in model, nothing else, and nothing configured. A program asks again while the runner changes tabs. */
  async tidy(): Promise<void> {
    await expect(() => this.#tidy()).toPass({ intervals: [100], timeout: 20_000 });
  }

  async #tidy(): Promise<void> {
    if (!(await this.#hasOnlyTheModel())) {
      await ask(this, '/models/purge', undefined, { method: 'DELETE' });
      const pulled = await ask(this, '/models/create', { from: this.model });
      expect(await pulled.text()).toContain('Model pulled successfully');
    }
    const settings = `/_sampan/models/${this.model}/settings`;
    if ((await (await ask(this, settings)).text()) !== '{}') await ask(this, settings, {}, { method: 'PUT' });
  }

  async #hasOnlyTheModel(): Promise<boolean> {
    const models = (await (await ask(this, '/models')).json()) as { tags: string[] }[];
    return models.flatMap(({ tags }) => tags).join() === `${this.model}:latest`;
  }
}

interface Fixtures {
  /** Done before every test, whether it opens a tab or not. */
  readonly tidied: undefined;
  /** A tab beside the host's, at a path of the app; the test's end closes it. */
  readonly open: (path: string) => Promise<Page>;
}

export const test = base.extend<Fixtures, { host: HostTab }>({
  host: [
    async ({ playwright: _ }, use) => {
      const privatePort = await freePort();
      const companion = await serveApp({
        origins: [allowedOrigin],
        relayAllow: [`localhost:${privatePort}`],
      });
      await withProfile(async (profile) => {
        const browser = await openBrowser(profile);
        const page = browser.pages()[0] ?? (await browser.newPage());
        await page.goto(`${companion.url}/requests`);
        await ready(page);
        await use(new HostTab(companion, page, privatePort));
        await browser.close();
      });
      await companion.close();
    },
    { scope: 'worker' },
  ],
  tidied: [
    async ({ host }, use) => {
      await host.tidy();
      await use(undefined);
    },
    { auto: true },
  ],
  open: async ({ host, tidied: _ }, use) => {
    const opened: Page[] = [];
    await use(async (path) => {
      const page = await host.open(path);
      opened.push(page);
      return page;
    });
    await host.restore();
    for (const page of opened) await page.close();
    // One of them may have been the host.
    await ready(host.page);
  },
});

export { expect };

/** `fetch` of a program: to the companion, with a JSON body where there is one. */
export function ask({ url }: Pick<HostTab, 'url'>, path: string, body?: unknown, init: RequestInit = {}) {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return fetch(url + path, { ...sent, ...init });
}

/** Whether the engine works on an answer. */
export async function isBusy(host: HostTab): Promise<boolean> {
  const runners = (await (await ask(host, '/engines/ps')).json()) as { in_use?: boolean }[];
  return runners.some(({ in_use }) => in_use === true);
}
