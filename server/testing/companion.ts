/** A companion on a free port over a small built app in a scratch folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { startCompanion, type Companion, type CompanionOptions } from '#server/companion.ts';

export const startScript = 'window.started = true;';
export const indexHtml = `<!doctype html><script>${startScript}</script><script src="/x.js"></script>`;
export const scriptText = 'export const answer = 42;\n'.repeat(40);

const precompressed: Readonly<Record<string, string>> = {
  'index.html': indexHtml,
  '_app/immutable/entry/app.abc.js': scriptText,
};

const plain: Readonly<Record<string, string>> = {
  'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'app.webmanifest': '{}',
  'sampan.js': 'export {};',
  'tiny.gguf': '0123456789',
  'empty.txt': '',
  '.secret': 'hidden',
};

export interface ScratchCompanion extends Companion, AsyncDisposable {
  readonly appDir: string;
}

export async function scratchCompanion(options: Partial<CompanionOptions> = {}): Promise<ScratchCompanion> {
  const appDir = await mkdtemp(join(tmpdir(), 'sampan-app-'));
  await writeApp(appDir);
  const companion = await startCompanion({ appDir, port: 0, ...options });
  return {
    ...companion,
    appDir,
    async [Symbol.asyncDispose]() {
      await companion.close();
      await rm(appDir, { recursive: true });
    },
  };
}

export async function writeFileAt(path: string, bytes: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

async function writeApp(appDir: string): Promise<void> {
  for (const [path, text] of Object.entries({ ...plain, ...precompressed })) {
    await writeFileAt(join(appDir, path), text);
  }
  for (const [path, text] of Object.entries(precompressed)) {
    await writeFileAt(join(appDir, `${path}.br`), brotliCompressSync(text));
    await writeFileAt(join(appDir, `${path}.gz`), gzipSync(text));
  }
}
