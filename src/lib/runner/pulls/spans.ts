/** Hands out the missing parts of a blob to the parallel connections of one download. */
import type { Segment } from '#lib/store/port.ts';

/** Neighbouring segments that one request fetches. */
export type Span = readonly [Segment, ...Segment[]];

/** Fewer, longer requests: a redirect to a CDN costs a round trip each. Short enough to keep the frontier close. */
const maxSegmentsPerSpan = 4;

export class SpanQueue {
  readonly #segments: Segment[];
  readonly #spanLength: number;

  /** Short enough that each of the `connections` gets its share. */
  constructor(missing: readonly Segment[], connections: number) {
    this.#segments = [...missing];
    this.#spanLength = Math.min(maxSegmentsPerSpan, Math.ceil(missing.length / connections));
  }

  /** The next neighbours, or `undefined` when everything is handed out. */
  take(): Span | undefined {
    const first = this.#segments.shift();
    if (!first) return undefined;
    const span: [Segment, ...Segment[]] = [first];
    while (span.length < this.#spanLength && this.#segments[0]?.from === span.at(-1)?.to) {
      const next = this.#segments.shift();
      if (next) span.push(next);
    }
    return span;
  }
}
