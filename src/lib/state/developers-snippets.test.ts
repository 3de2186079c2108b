import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { snippetsFor } from './developers-snippets.ts';

const place = { origin: 'http://localhost:12434', site: 'https://sampan.example', model: 'ai/smollm2:135M' };
const textOf = (id: string, at = place) => snippetsFor(at).find((each) => each.id === id)?.text ?? '';
/** No registry gives such a name, but an import may. */
const hostile = { ...place, model: `it's "$(rm x)" \\ \`y\`` };

describe('snippets', () => {
  it('name this address and this model, each under an id of its own', () => {
    const snippets = snippetsFor(place);
    expect(new Set(snippets.map(({ id }) => id)).size).toBe(snippets.length);
    for (const { id, text, reach } of snippets) {
      const named = id === 'open-webui' ? '/engines/v1' : place.model;
      expect([id, text.includes(named)]).toEqual([id, true]);
      if (reach === 'program') expect([id, text.includes(place.origin)]).toEqual([id, true]);
    }
  });

  it('say to whom they are of use: pages need no companion', () => {
    const ids = snippetsFor(place).filter(({ reach }) => reach === 'page');
    expect(ids.map(({ id }) => id)).toEqual(['fetch', 'site']);
    expect(textOf('site')).toContain('https://sampan.example/sampan.js');
  });

  it.each([place, hostile])('for a shell hold their words as one', (at) => {
    // `curl` and `docker` print what they are given, one a line.
    const show =
      'show() { for word in "$@"; do printf "%s\\n" "$word"; done; }; curl() { show "$@"; }; docker() { show "$@"; };';
    const run = (id: string) =>
      execFileSync('sh', ['-c', `${show}\n${textOf(id, at)}`])
        .toString()
        .split('\n');
    const body: unknown = JSON.parse(run('curl')[4] ?? '');
    expect(body).toMatchObject({ model: at.model });
    expect(run('docker')).toContain(at.model);
  });

  it('for a library and an editor hold the model as a literal', () => {
    const literal = JSON.stringify(hostile.model);
    for (const id of ['python', 'openai', 'fetch', 'site', 'langchain', 'ai-sdk', 'continue']) {
      expect([id, textOf(id, hostile).includes(literal)]).toEqual([id, true]);
    }
    expect(JSON.parse(textOf('zed', hostile))).toMatchObject({
      language_models: {
        openai_compatible: { Sampan: { available_models: [{ name: hostile.model, max_tokens: 4096 }] } },
      },
    });
  });

  it('tell an editor how much the model takes, where that is known', () => {
    const zed = snippetsFor({ ...place, contextSize: 8192 }).find(({ id }) => id === 'zed');
    expect(zed?.text).toContain('"max_tokens": 8192');
  });
});
