/** Hands out the missing parts of a blob to the parallel connections of one download. */
import type { Segment } from '#lib/store/port.ts';

/** Neighbouring segments that one request fetches. */
export type Span = readonly [Segment, ...Segment[]];

/** Fewer, longer requests: a redirect to a CDN costs a round trip each. Short enough to keep the frontier close. */
const maxSegmentsPerSpan = 4;

export class SpanQueue {
  readonly #segments: Segment[];

  constructor(missing: readonly Segment[]) {
    this.#segments = [...missing];
  }

  /** The next neighbours, or `undefined` when everything is handed out. */
  take(): Span | undefined {
    const first = this.#segments.shift();
    if (!first) return undefined;
    const span: [Segment, ...Segment[]] = [first];
    while (span.length < maxSegmentsPerSpan && this.#segments[0]?.from === span.at(-1)?.to) {
      const next = this.#segments.shift();
      if (next) span.push(next);
    }
    return span;
  }
}
