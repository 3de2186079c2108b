import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { architectures } from './architectures.ts';

const wllama = new URL('../../../node_modules/@wllama/wllama/', import.meta.url);

describe('architectures', () => {
  it('are those of the wllama that is installed', async () => {
    const { version } = JSON.parse(await readFile(new URL('package.json', wllama), 'utf8'));
    expect(version).toBe('3.13.0');
    const wasm = await readFile(new URL('esm/wasm/wllama.wasm', wllama));
    const absent = [...architectures].filter((name) => !wasm.includes(`${name}\0`, 0, 'latin1'));
    expect(absent).toEqual([]);
  });

  it('have the fixtures’ own, and no projector', () => {
    expect(architectures).toContain('llama');
    expect(architectures).toContain('qwen3');
    expect(architectures).not.toContain('clip');
    expect(architectures).not.toContain('(unknown)');
  });
});
