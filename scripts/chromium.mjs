// Finds the Chromium that tests and benchmarks drive: SAMPAN_CHROMIUM, the system's, or Playwright's own.
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

const candidates = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** `--enable-unsafe-webgpu` gives a software adapter where there is no GPU. */
export const chromiumArgs = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @returns {Promise<string>} the path of an executable Chromium, installing Playwright's if there is none */
export async function chromiumPath() {
  const wanted = process.env.SAMPAN_CHROMIUM;
  if (wanted) return wanted;
  const found = candidates.find((path) => existsSync(path));
  if (found) return found;
  const { chromium } = await import('playwright');
  if (!existsSync(chromium.executablePath())) {
    execFileSync(process.execPath, ['node_modules/playwright/cli.js', 'install', 'chromium'], {
      stdio: 'inherit',
    });
  }
  return chromium.executablePath();
}
