/** The same numbers in every run (mulberry32), from 0 to 1. */
export const random = (() => {
  let state = 12345;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
})();

export function noise(n: number, size: number): Float32Array {
  return Float32Array.from({ length: n }, () => (random() - 0.5) * size);
}
