import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentPolicy, inlineScriptHashes } from './content-policy.ts';

describe('hashes of inline scripts', () => {
  it('are those a browser computes', () => {
    // What Chromium prints in its console for this very script.
    expect(inlineScriptHashes('<script>alert(1)</script>')).toEqual([
      `'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='`,
    ]);
  });

  it('skip scripts with a source, and count equal ones once', () => {
    const html = `<script type="module" src="/a.js"></script><script>a</script><SCRIPT nonce="">a</SCRIPT>`;
    expect(inlineScriptHashes(html)).toHaveLength(1);
  });

  it('take white space and lines as they are', () => {
    expect(inlineScriptHashes('<script>\n\ta\n</script>')).not.toEqual(
      inlineScriptHashes('<script>a</script>'),
    );
  });
});

describe('the policy', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sampan-policy-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('follows the built page when it changes, and has no hash without one', async () => {
    const path = join(dir, 'index.html');
    const policy = new ContentPolicy(path);
    expect(await policy.header()).not.toContain('sha256');
    await writeFile(path, '<script>one</script>');
    const first = await policy.header();
    expect(first).toContain(inlineScriptHashes('<script>one</script>')[0]);
    await writeFile(path, '<script>two</script>');
    await utimes(path, 1, 1);
    const second = await policy.header();
    expect(second).toContain(inlineScriptHashes('<script>two</script>')[0]);
    expect(second).not.toBe(first);
    expect(policy.current).toBe(second);
  });

  it('lets no inline script and no eval run', async () => {
    const header = await new ContentPolicy(join(dir, 'none')).header();
    const scripts = header.split('; ').find((directive) => directive.startsWith('script-src'));
    expect(scripts).toBe(`script-src 'self' 'wasm-unsafe-eval'`);
    for (const directive of ['object-src', 'base-uri', 'form-action', 'frame-ancestors']) {
      expect(header).toContain(`${directive} 'none'`);
    }
  });
});
