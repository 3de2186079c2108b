import { defineConfig } from 'vite';

/** Bundles `sampan.js`, which pages of other origins load, into the built app. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'build/app',
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: 'src/sampan-js/connect.ts',
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'sampan.js' },
    },
  },
});
