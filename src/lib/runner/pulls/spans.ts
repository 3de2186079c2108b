/** Hands out the missing parts of a blob to the parallel connections of one download. */
import type { Segment } from '#lib/store/port.ts';

/** Neighbouring segments that one request fetches. */
export type Span = readonly [Segment, ...Segment[]];

/** Fewer, longer requests: a redirect to a CDN costs a round trip each. Short enough to keep the frontier close. */
const maxSegmentsPerSpan = 4;
/** Shorter ones towards the end, so that the connections finish together and little is left to hash then. */
const spansLeftPerConnection = 2;

export class SpanQueue {
  readonly #segments: Segment[];
  readonly #connections: number;

  constructor(missing: readonly Segment[], connections: number) {
    this.#segments = [...missing];
    this.#connections = connections;
  }

  /** The next neighbours, or `undefined` when everything is handed out. */
  take(): Span | undefined {
    const share = Math.ceil(this.#segments.length / (this.#connections * spansLeftPerConnection));
    const first = this.#segments.shift();
    if (!first) return undefined;
    const span: [Segment, ...Segment[]] = [first];
    while (span.length < Math.min(maxSegmentsPerSpan, share) && this.#segments[0]?.from === span.at(-1)?.to) {
      const next = this.#segments.shift();
      if (next) span.push(next);
    }
    return span;
  }
}
