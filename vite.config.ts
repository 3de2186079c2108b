import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';
import packageJson from './package.json' with { type: 'json' };
import { companionPlugin } from './server/vite-plugin.ts';

export default defineConfig({
  plugins: [sveltekit(), companionPlugin()],
  define: { __SAMPAN_VERSION__: JSON.stringify(packageJson.version) },
  worker: { format: 'es' },
  build: { target: 'es2023' },
  server: { port: 12434, strictPort: true },
});
