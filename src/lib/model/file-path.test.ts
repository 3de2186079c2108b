import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { checkPath, freePath, refuseCollisions } from './file-path.ts';

const refused = expect.objectContaining({ code: 'unsupported_model_format' });

describe('checkPath', () => {
  it.each([
    ['model.gguf', 'model.gguf'],
    ['./model.gguf', 'model.gguf'],
    ['a/b/..c', 'a/b/..c'],
    ['模型 é.gguf', '模型 é.gguf'],
    ['.hidden', '.hidden'],
  ])('takes %j', (path, expected) => {
    expect(checkPath(path)).toBe(expected);
  });

  it.each([
    ['../x', 'leads out'],
    ['a/../../x', 'leads out'],
    ['a/..', 'leads out'],
    ['./../x', 'leads out'],
    ['/etc/passwd', 'absolute'],
    ['//host/share', 'absolute'],
    ['C:/x', 'absolute'],
    ['c:x', 'absolute'],
    ['a\\..\\x', 'backslash'],
    ['a\0.gguf', 'control'],
    ['a\n.gguf', 'control'],
    ['a\u202efugg.exe', 'control'],
    ['a\ud800', 'control'],
    ['a//b', 'empty part'],
    ['a/./b', 'empty part'],
    ['a/', 'empty part'],
    ['', 'empty'],
    ['./', 'empty'],
  ])('refuses %j', (path, why) => {
    expect(() => checkPath(path)).toThrow(refused);
    expect(() => checkPath(path)).toThrow(why);
  });

  it('refuses a path longer than any', () => {
    expect(() => checkPath('a'.repeat(1025))).toThrow('longer than');
  });

  it('gives nothing that leads out, whatever it is given', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', '/', '\\', 'a', 'C:', '\0', '%2e%2e'), fc.string());
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('/')),
        (path) => {
          try {
            expect(posix.resolve('/model', checkPath(path))).toMatch(/^\/model\/./s);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ApiError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('refuseCollisions', () => {
  it('lets different files be', () => {
    expect(() => refuseCollisions(['a', 'b/a', 'b/c', 'ab'])).not.toThrow();
  });

  it.each([
    ['two files of one path', ['a/b', 'c', 'a/b']],
    ['a file where another has its folder', ['a', 'a/b/c']],
    ['a folder where another has its file', ['a/b/c', 'a/b']],
  ])('refuses %s', (_, paths) => {
    expect(() => refuseCollisions(paths)).toThrow(refused);
  });
});

describe('freePath', () => {
  it.each([
    ['LICENSE', [], 'LICENSE'],
    ['LICENSE', ['LICENSE'], 'LICENSE-2'],
    ['a.b/x.txt', ['a.b/x.txt', 'a.b/x-2.txt'], 'a.b/x-3.txt'],
    ['.env', ['.env'], '.env-2'],
  ])('of %s beside %j is %s', (path, taken, expected) => {
    expect(freePath(path, new Set(taken))).toBe(expected);
  });
});
