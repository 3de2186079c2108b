/** Figures as people and as Docker Model Runner read them. */

const decimalUnits = ['B', 'KB', 'MB', 'GB', 'TB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 98362432 → "98.4 MB": decimal units and three figures, for people. */
export function formatBytes(bytes: number): string {
  const [value, unit] = scale(bytes, 1000, decimalUnits);
  return unit === 'B' ? `${value} B` : `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** 98362432 → "93.81MiB": Docker Model Runner's wire form. */
export function formatWireSize(bytes: number): string {
  const [value, unit] = scale(bytes, 1024, binaryUnits);
  return unit === 'B' ? `${value}B` : `${value.toFixed(2)}${unit}`;
}

/** 134515008 → "134.52M", 1235814432 → "1.24B": Docker Model Runner's wire form of a parameter count. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)}B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)}M`;
  if (count >= 1e3) return `${(count / 1e3).toFixed(2)}K`;
  return String(count);
}

function scale(value: number, base: number, units: readonly string[]): [number, string] {
  let index = 0;
  while (value >= base && index < units.length - 1) {
    value /= base;
    index++;
  }
  return [value, units[index] ?? ''];
}
