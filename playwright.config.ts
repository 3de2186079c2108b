import { defineConfig } from '@playwright/test';
import { chromiumArgs, chromiumPath } from './scripts/chromium.mjs';

export default defineConfig({
  testDir: 'tests',
  testMatch: ['e2e/**/*.spec.ts', 'interop/**/*.spec.ts'],
  ...(process.env.SAMPAN_REAL === '1' ? {} : { testIgnore: ['**/*.real.spec.ts'] }),
  outputDir: 'test-results',
  // Each test has a companion, a browser profile and an engine of its own; two cores carry one at a time.
  workers: 1,
  fullyParallel: false,
  timeout: 90_000,
  // The engine's files, a model and a browser start behind most expectations.
  expect: { timeout: 20_000 },
  forbidOnly: process.env.CI === 'true',
  reporter: [
    ['list'],
    ...(process.env.SAMPAN_PLAYWRIGHT_REPORT ? [['./scripts/reporters/playwright.mjs'] as const] : []),
  ],
  use: {
    launchOptions: { args: chromiumArgs, executablePath: await chromiumPath() },
    // A screencast of every test would cost as much as the tests themselves.
    trace: { mode: 'retain-on-failure', screenshots: false },
  },
});
