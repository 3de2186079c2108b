/** A raw stream in figures: when its frames came, and how long the pauses between them were. */
import type { RequestFrameJson } from '#lib/model/wire-requests.ts';
import { spanWords } from './request-words.ts';

/** Milliseconds between each frame and the one before it. */
export function gapsOf(frames: readonly RequestFrameJson[]): readonly number[] {
  return frames.slice(1).map(({ at_ms: at }, index) => Math.max(0, at - (frames[index]?.at_ms ?? at)));
}

/** "Gap between frames: median 35 ms, p95 42 ms, longest 118 ms". */
export function gapWords(gaps: readonly number[]): string {
  const sorted = gaps.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return `Gap between frames: median ${spanWords(at(0.5))}, p95 ${spanWords(at(0.95))}, longest ${spanWords(at(1))}`;
}

/** At most `count` heights from 0 to 1, the longest of each stretch: a stream of 4,000 frames is not 4,000 strokes. */
export function heightsOf(gaps: readonly number[], count: number): readonly number[] {
  const longest = gaps.reduce((most, gap) => Math.max(most, gap), 1);
  const stretch = Math.max(1, Math.ceil(gaps.length / count));
  return Array.from({ length: Math.ceil(gaps.length / stretch) }, (_, index) => {
    const part = gaps.slice(index * stretch, (index + 1) * stretch);
    return part.reduce((most, gap) => Math.max(most, gap), 0) / longest;
  });
}
