import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { layerRules } from '#scripts/layers.mjs';

// Only the layer rules, without types: the question is which import is refused where.
const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: layerRules });

async function refusals(file: string, specifier: string): Promise<number> {
  const [result] = await eslint.lintText(`import ${JSON.stringify(specifier)};\n`, { filePath: file });
  return result?.messages.length ?? 0;
}

describe('the layer table', () => {
  it.each([
    ['src/lib/core/x.ts', '#lib/model/manifest.ts'],
    ['src/lib/core/x.ts', 'svelte'],
    ['src/lib/model/x.ts', '#lib/openai/chat.ts'],
    ['src/lib/openai/x.ts', '#lib/runner/runner.ts'],
    ['src/lib/registry/x.ts', '#lib/store/port.ts'],
    ['src/lib/store/opfs/x.ts', '#lib/registry/port.ts'],
    ['src/lib/engine/llamacpp/x.ts', '#lib/store/port.ts'],
    ['src/lib/runner/x.ts', '#lib/store/memory/blob-store.ts'],
    ['src/lib/runner/endpoints/x.ts', '#lib/engine/scripted.ts'],
    ['src/lib/bridge/x.ts', '#lib/store/port.ts'],
    ['src/lib/state/x.svelte.ts', '#lib/runner/runner.ts'],
    ['src/lib/components/x.ts', '#lib/bridge/client.ts'],
    ['src/routes/x.ts', '#lib/bridge/client.ts'],
    ['src/workers/x.ts', '#lib/state/app.svelte.ts'],
    ['src/service-worker/x.ts', '#lib/runner/runner.ts'],
    ['server/x.ts', '#lib/bridge/client.ts'],
    ['server/x.ts', '$app/navigation'],
    ['src/lib/core/x.ts', '../model/manifest.ts'],
    ['src/lib/core/x.ts', '#tests/support/runner-bench.ts'],
  ])('refuses that %s imports %s', async (file, specifier) => {
    expect(await refusals(file, specifier)).toBe(1);
  });

  it.each([
    ['src/lib/model/x.ts', '#lib/core/errors.ts'],
    ['src/lib/runner/x.ts', '#lib/store/port.ts'],
    ['src/lib/runner/x.ts', '#lib/model/reference.ts'],
    ['src/lib/state/x.svelte.ts', '#lib/bridge/client.ts'],
    ['src/lib/components/x.ts', '#lib/state/app.svelte.ts'],
    ['src/workers/x.ts', '#lib/store/opfs/blob-store.ts'],
    ['src/lib/core/x.ts', './digest.ts'],
  ])('lets %s import %s', async (file, specifier) => {
    expect(await refusals(file, specifier)).toBe(0);
  });
});
