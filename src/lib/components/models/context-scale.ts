/** A slider over context sizes: each step to the right is the same factor, so small and large sizes are as easy to hit. */

const smallest = 512;
const grain = 256;
/** Where nothing says what a model was trained with. */
const usualLargest = 32_768;

/** Positions of the slider: 0 to this. */
export const contextSteps = 100;

export function contextAt(position: number, trained: number | undefined): number {
  const largest = largestOf(trained);
  if (position >= contextSteps) return largest;
  const size = smallest * (largest / smallest) ** (position / contextSteps);
  return Math.min(largest, Math.max(smallest, Math.round(size / grain) * grain));
}

export function positionOf(size: number, trained: number | undefined): number {
  const largest = largestOf(trained);
  const within = Math.min(largest, Math.max(smallest, size));
  return Math.round((Math.log(within / smallest) / Math.log(largest / smallest)) * contextSteps);
}

function largestOf(trained: number | undefined): number {
  return Math.max(smallest * 2, trained ?? usualLargest);
}
