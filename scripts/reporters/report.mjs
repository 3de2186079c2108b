// What a runner leaves for `npm test`: how many passed, and what failed and why.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** As much of a message as tells what happened; the runner has printed all of it. */
const maxLines = 12;

/** @typedef {{ name: string, message: string }} Failure */

/** @param {string} file @param {{ passed: number, failures: readonly Failure[] }} report */
export function writeReport(file, { passed, failures }) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ passed, failures }));
}

/** @param {readonly { message?: string, stack?: string }[]} errors */
export function failure(name, errors) {
  const text = errors.map(({ message, stack }) => message ?? stack ?? 'no reason was told').join('\n');
  const lines = stripVTControlCharacters(text).trim().split('\n');
  const cut = lines.length > maxLines ? [`… ${lines.length - maxLines} more lines`] : [];
  return { name, message: [...lines.slice(0, maxLines), ...cut].join('\n') };
}
