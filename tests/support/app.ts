/** The built app under Playwright: a companion on a free port, a browser with a profile of its own, pages in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test as base, type BrowserContext, type Page } from '@playwright/test';
import { chromiumArgs, chromiumPath } from '#scripts/chromium.mjs';
import { startCompanion, type Companion, type CompanionOptions } from '#server/companion.ts';

export const appDir = new URL('../../build/app', import.meta.url).pathname;

/** The reference of the built-in model on this companion. */
export function tinyOn(companion: Companion): string {
  return `localhost:${companion.port}/sampan/tiny`;
}

interface Fixtures {
  readonly companion: Companion;
  /** A browser of its own with a profile on disk, so that storage and service workers are as a user has them. */
  readonly context: BrowserContext;
  readonly page: Page;
}

interface Options {
  readonly relayAllow: string[];
}

export const test = base.extend<Fixtures & Options>({
  relayAllow: [[], { option: true }],
  companion: async ({ relayAllow }, use) => {
    const companion = await serveApp({ relayAllow });
    await use(companion);
    await companion.close();
  },
  context: async ({ companion: _ }, use) => {
    await withProfile(async (profile) => {
      const context = await openBrowser(profile);
      await use(context);
      await context.close();
    });
  },
  page: async ({ context, companion }, use) => {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`${companion.url}/catalog`);
    await use(page);
  },
});

export { expect };

export function serveApp(options: Partial<CompanionOptions> = {}): Promise<Companion> {
  return startCompanion({ appDir, port: 0, ...options });
}

export async function withProfile(run: (profile: string) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'sampan-profile-'));
  try {
    await run(profile);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * An engine lives too short here for its WebAssembly to be optimized: that takes as long as all the answers, and each load
 * of the engine does it again.
 */
const unoptimized = '--js-flags=--no-wasm-tier-up --no-wasm-dynamic-tiering';

export async function openBrowser(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    args: [...chromiumArgs, unoptimized],
    executablePath: await chromiumPath(),
    viewport: { width: 1280, height: 800 },
  });
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Plain `fetch` in the page, as any script on it would. */
export function fetchIn(page: Page, path: string, body?: unknown): Promise<Answer> {
  return page.evaluate(
    async ([path, body]) => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      const response = await fetch(path as string, init);
      return { status: response.status, text: await response.text() };
    },
    [path, body],
  );
}

/** Pulls by the API and waits for the end; resolves with the last progress line. */
export async function pullIn(page: Page, from: string): Promise<{ type: string; message: string }> {
  const { text } = await page.evaluate(async (from) => {
    const response = await fetch('/models/create', {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: JSON.stringify({ from }),
    });
    return { text: await response.text() };
  }, from);
  const last: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? 'null');
  return last as { type: string; message: string };
}

/** Waits until plain `fetch` of this page goes through the service worker to a host. */
export async function ready(page: Page): Promise<void> {
  const reaches = () =>
    page.evaluate(async () => navigator.serviceWorker.controller !== null && (await fetch('/version')).ok);
  await expect.poll(reaches, { timeout: 20_000, intervals: [50, 100] }).toBe(true);
}

/** Writes a message on the chat page, once a model is there to answer. */
export async function say(page: Page, text: string): Promise<void> {
  await expect(page.getByRole('button', { name: /Sampan self-test/ })).toBeVisible();
  await page.getByRole('textbox', { name: /message/i }).fill(text);
  await page.keyboard.press('Enter');
}

/** The joined text of a streamed answer's frames. */
export function textOf(sse: string): string {
  return sse
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map(
      (frame) =>
        (JSON.parse(frame.slice(6)) as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta
          ?.content ?? '',
    )
    .join('');
}
