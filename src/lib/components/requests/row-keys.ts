/** Keys of a long list. */

const pageRows = 10;

/** The row that a key leads to; `undefined` for a key that leads nowhere. From no row (−1), every way leads to the first. */
export function targetOf(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    j: 1,
    ArrowUp: -1,
    k: -1,
    PageDown: pageRows,
    PageUp: -pageRows,
    Home: -count,
    End: count,
  };
  const step = steps[key.length === 1 ? key.toLowerCase() : key];
  if (step === undefined || count === 0) return undefined;
  if (at < 0 && Math.abs(step) < count) return 0;
  return Math.min(count - 1, Math.max(0, at + step));
}
