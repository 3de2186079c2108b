// Middle and spread of a few measurements, and the tables they are printed in.

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `312 (290–330)`: median, least and most. */
export function spread(values, digits = 0) {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${least}–${most})`;
}

/** Quotients of what was measured next to each other, so that a slow minute slows both. */
export function ratios(values, others) {
  return values.map((value, index) => value / others[index]);
}

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} result
 * @property {string} [goal]
 * @property {boolean} [met]
 */

/** @param {string} title @param {readonly Row[]} rows */
export function printTable(title, rows) {
  console.log(`\n${title}\n`);
  const cells = rows.map(({ what, result, goal = '', met }) => [what, result, goal, verdict(met)]);
  const lines = [['', 'median (least–most)', 'goal', ''], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const format = (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  console.log(format(lines[0]));
  console.log(`| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  for (const line of lines.slice(1)) console.log(format(line));
}

function verdict(met) {
  if (met === undefined) return '';
  return met ? 'met' : 'missed';
}

/** Runs each of `measures` once a round, every round in another order, and gathers what they return. */
export async function interleave(rounds, measures) {
  const names = Object.keys(measures);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = names.map((_, index) => names[(index + round) % names.length]);
    for (const name of order) results[name].push(await measures[name]());
  }
  return results;
}
