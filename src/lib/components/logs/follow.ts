/** Whether a list that grows stays at its end: until a reader scrolls up, and again from when they come back to it. */

interface Place {
  readonly offset: number;
  /** Pixels below what is seen. */
  readonly distanceToEnd: number;
  /** Whether the reader is scrolling; lists also move by themselves, when lines turn out higher than expected. */
  readonly isByReader: boolean;
}

const nearPx = 48;
const atEndPx = 4;

/** A list that becomes shorter also moves up, but stays at its end. */
export function followsAfter(
  isFollowing: boolean,
  before: number,
  { offset, distanceToEnd, isByReader }: Place,
): boolean {
  if (isByReader && offset < before && distanceToEnd > atEndPx) return false;
  return isFollowing || (offset > before && distanceToEnd < nearPx);
}
