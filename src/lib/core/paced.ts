/** Small chunks put together, so that a message is not paid for each when they come by the hundred a second. */
import { sleep, type Clock } from './clock.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface Chunk {
  readonly bytes: Bytes;
  /** What somebody waits for comes after this, and shall not wait for the step. */
  readonly isPreface?: boolean;
}

interface Pace {
  readonly clock: Clock;
  /** A chunk that comes sooner than this after the last one waits, and is joined by those that come meanwhile. */
  readonly stepMs: number;
}

/** The same bytes. The first text is passed on at once; the end and a failure too; the rest within a millisecond at least. */
export async function* paced(
  source: AsyncIterator<Chunk, void>,
  { clock, stepMs }: Pace,
): AsyncGenerator<Bytes, void, undefined> {
  let lastMs: number | undefined;
  let coming = ahead(source);
  try {
    for (;;) {
      const { done, value } = await coming;
      if (done) return;
      const held = [value.bytes];
      coming = ahead(source);
      if (lastMs !== undefined) {
        // What is there already goes along, however long ago the last one was.
        const untilMs = Math.max(lastMs + stepMs, clock.now() + 1);
        ({ next: coming } = await gather(source, { held, coming, untilMs, clock }));
      }
      if (!value.isPreface) lastMs = clock.now();
      yield joined(held);
    }
  } finally {
    await source.return?.();
  }
}

interface Gathering {
  readonly held: Bytes[];
  readonly coming: Promise<IteratorResult<Chunk, void>>;
  readonly untilMs: number;
  readonly clock: Clock;
}

/** Adds to `held` until the time is over or nothing more comes; resolves with what comes next. */
async function gather(source: AsyncIterator<Chunk, void>, { held, coming, untilMs, clock }: Gathering) {
  let next = coming;
  const over = sleep(clock, untilMs - clock.now());
  // On a busy machine the timer is late, and what comes meanwhile tells the time too.
  while (clock.now() < untilMs) {
    // A failure is told by `next` itself, after what is held.
    const result = await Promise.race([next.catch(() => undefined), over]);
    if (!result || result.done) return { next };
    held.push(result.value.bytes);
    next = ahead(source);
  }
  return { next };
}

/** Asked before the reader asks: its failure waits for the reader. */
function ahead(source: AsyncIterator<Chunk, void>): Promise<IteratorResult<Chunk, void>> {
  const next = source.next();
  next.catch(() => undefined);
  return next;
}

function joined(chunks: readonly Bytes[]): Bytes {
  const [first] = chunks;
  if (first && chunks.length === 1) return first;
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
