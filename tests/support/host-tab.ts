/** One companion and one tab that runs the built-in model, for all the programs of a worker's tests. */
import { test as base, expect, type Page } from '@playwright/test';
import { openBrowser, ready, serveApp, tinyOn, withProfile } from './app.ts';

export interface HostTab {
  /** Where programs send their requests. */
  readonly url: string;
  /** The built-in model's reference. It is stored and loaded. */
  readonly model: string;
  readonly page: Page;
}

/** The one other origin that may use the API. */
export const allowedOrigin = 'http://app.example:3000';

export const test = base.extend<object, { host: HostTab }>({
  host: [
    async ({ playwright: _ }, use) => {
      const companion = await serveApp({ origins: [allowedOrigin] });
      await withProfile(async (profile) => {
        const browser = await openBrowser(profile);
        const page = browser.pages()[0] ?? (await browser.newPage());
        await page.goto(`${companion.url}/requests`);
        await ready(page);
        const host = { url: companion.url, model: tinyOn(companion), page };
        await pull(host);
        await use(host);
        await browser.close();
      });
      await companion.close();
    },
    { scope: 'worker' },
  ],
});

export { expect };

/** `fetch` of a program: to the companion, with a JSON body where there is one. */
export function ask({ url }: Pick<HostTab, 'url'>, path: string, body?: unknown, init: RequestInit = {}) {
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return fetch(url + path, { ...sent, ...init });
}

async function pull(host: HostTab): Promise<void> {
  const response = await ask(host, '/models/create', { from: host.model });
  expect(await response.text()).toContain('Model pulled successfully');
}

/** Whether the engine works on an answer. */
export async function isBusy(host: HostTab): Promise<boolean> {
  const runners = (await (await ask(host, '/engines/ps')).json()) as { in_use?: boolean }[];
  return runners.some(({ in_use }) => in_use === true);
}
