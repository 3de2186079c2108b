import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  kit: {
    adapter: adapter({ pages: 'build/app', assets: 'build/app', fallback: 'index.html' }),
    files: { serviceWorker: 'src/service-worker/index.ts' },
    // The page registers it itself, so that an update never interrupts a running request.
    serviceWorker: { register: false },
    version: { name: process.env.SAMPAN_BUILD ?? 'dev', pollInterval: 0 },
  },
};
