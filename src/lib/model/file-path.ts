/** Paths of files inside a model come from strangers: what could point outside of it, or at two files, is refused. */
import { ApiError } from '#lib/core/errors.ts';

const maxPathLength = 1024;

/**
 * `./a/b` → `a/b`. Nothing is repaired that could mean something else: `..`, absolute paths, drives, backslashes,
 * empty parts and control characters throw `unsupported_model_format`.
 */
export function checkPath(text: string): string {
  const path = text.replace(/^(\.\/)+/, '');
  if (path === '') throw dangerous(text, 'is empty');
  if (path.length > maxPathLength) throw dangerous(text, `is longer than ${maxPathLength} characters`);
  // Format characters include those that turn the direction of text and so hide an extension.
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(path)) throw dangerous(text, 'has control characters in it');
  if (path.includes('\\')) throw dangerous(text, 'has a backslash in it');
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) throw dangerous(text, 'is an absolute path');
  for (const part of path.split('/')) {
    if (part === '..') throw dangerous(text, 'leads out of the model');
    if (part === '' || part === '.') throw dangerous(text, 'has an empty part between its slashes');
  }
  return path;
}

/** Throws `unsupported_model_format` when two files have one path, or a file is where another has a folder. */
export function refuseCollisions(paths: readonly string[]): void {
  const files = new Set<string>();
  for (const path of paths) {
    if (files.has(path)) throw dangerous(path, 'is the path of two files');
    files.add(path);
  }
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      if (files.has(folder)) throw dangerous(folder, 'is the path of a file and of a folder');
    }
  }
}

/** `LICENSE` → `LICENSE-2` when the first is taken; for names that no one relies on. */
export function freePath(path: string, taken: ReadonlySet<string>): string {
  if (!taken.has(path)) return path;
  const dot = path.lastIndexOf('.');
  const end = dot > path.lastIndexOf('/') + 1 ? dot : path.length;
  for (let number = 2; ; number++) {
    const candidate = `${path.slice(0, end)}-${number}${path.slice(end)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function dangerous(path: string, why: string): ApiError {
  const shown = path.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�').slice(0, 80);
  return new ApiError(
    'unsupported_model_format',
    `The model has a file “${shown}” whose path ${why}. It was packaged wrongly or with bad intent; do not use it.`,
  );
}
