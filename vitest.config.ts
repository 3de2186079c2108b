import { playwright } from '@vitest/browser-playwright';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { chromiumArgs, chromiumPath } from './scripts/chromium.mjs';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          // Nothing in these files lives in a module, so they may share one: loading it anew for each took half the time.
          isolate: false,
          // Property tests on a machine that is busy with a browser.
          testTimeout: 30_000,
          include: [
            'src/**/*.test.ts',
            'server/**/*.test.ts',
            'engine/**/*.test.ts',
            'tests/guards/*.test.ts',
          ],
          exclude: ['**/*.browser.test.ts', '**/*.svelte.test.ts'],
        },
      },
      {
        plugins: [svelte()],
        server: { headers: isolation },
        // As the app is served: what lies there is no module.
        publicDir: 'static',
        // A dependency that is discovered late reloads the page and fails the run.
        optimizeDeps: {
          include: [
            'hash-wasm',
            'fast-check',
            '@mlc-ai/web-llm',
            '@huggingface/jinja',
            '@huggingface/tokenizers',
            'uplot',
            'virtua/svelte',
            'idb-keyval',
            'comlink',
            'valibot',
            'eventsource-parser',
            'eventsource-parser/stream',
            'svelte',
            'marked',
            'dompurify',
            'highlight.js/lib/core',
            'highlight.js/lib/languages/*',
          ],
        },
        worker: { format: 'es' },
        test: {
          name: 'browser',
          env: { SAMPAN_REAL: process.env.SAMPAN_REAL ?? '' },
          include: ['src/**/*.browser.test.ts', 'src/**/*.svelte.test.ts', 'engine/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: chromiumArgs, executablePath: await chromiumPath() },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
