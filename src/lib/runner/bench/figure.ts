/** A figure of several measurements. */
import type { FigureJson } from '#lib/model/wire-bench.ts';

/** The deviation is that of a sample, as llama-bench writes it; 0 for one measurement. */
export function figureOf(samples: readonly number[]): FigureJson {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  const squares = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0);
  return { mean, sd: samples.length < 2 ? 0 : Math.sqrt(squares / (samples.length - 1)), samples };
}
