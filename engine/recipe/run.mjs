/** Child processes of the recipe: everything at low priority, everything that fails ends the build. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Runs a program and lets its output through. */
export function run(program, args, options = {}) {
  execFileSync('nice', ['-n', '10', program, ...args], { stdio: 'inherit', ...options });
}

/** Runs a program and returns what it printed. */
export function output(program, args, options = {}) {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options });
}

/** Hex SHA-256 of a file. */
export function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
