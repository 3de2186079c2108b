import { defineConfig } from 'vite';

/** Bundles the companion for Node: `build/server/main.js`, no dependencies left outside. */
export default defineConfig({
  publicDir: false,
  build: {
    ssr: 'server/main.ts',
    outDir: 'build/server',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
  },
  ssr: { noExternal: true },
});
