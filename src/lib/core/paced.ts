/** Small chunks put together, so that a message is not paid for each when they come by the hundred a second. */
import { sleep, type Clock } from './clock.ts';

type Bytes = Uint8Array<ArrayBuffer>;

interface Pace {
  readonly clock: Clock;
  /** A chunk that comes sooner than this after the last one waits, and is joined by those that come meanwhile. */
  readonly stepMs: number;
}

/** The same bytes. What comes slower than the step is passed on at once, the end and a failure too. */
export async function* paced(
  source: AsyncIterator<Bytes, void>,
  { clock, stepMs }: Pace,
): AsyncGenerator<Bytes, void, undefined> {
  let lastMs = -Infinity;
  let coming = ahead(source);
  try {
    for (;;) {
      const { done, value } = await coming;
      if (done) return;
      const held = [value];
      coming = ahead(source);
      const untilMs = lastMs + stepMs;
      if (untilMs > clock.now()) ({ next: coming } = await gather(source, { held, coming, untilMs, clock }));
      lastMs = clock.now();
      yield joined(held);
    }
  } finally {
    await source.return?.();
  }
}

interface Gathering {
  readonly held: Bytes[];
  readonly coming: Promise<IteratorResult<Bytes, void>>;
  readonly untilMs: number;
  readonly clock: Clock;
}

/** Adds to `held` until the time is over or nothing more comes; resolves with what comes next. */
async function gather(source: AsyncIterator<Bytes, void>, { held, coming, untilMs, clock }: Gathering) {
  let next = coming;
  const over = sleep(clock, untilMs - clock.now());
  // On a busy machine the timer is late, and what comes meanwhile tells the time too.
  while (clock.now() < untilMs) {
    // A failure is told by `next` itself, after what is held.
    const result = await Promise.race([next.catch(() => undefined), over]);
    if (!result || result.done) return { next };
    held.push(result.value);
    next = ahead(source);
  }
  return { next };
}

/** Asked before the reader asks: its failure waits for the reader. */
function ahead(source: AsyncIterator<Bytes, void>): Promise<IteratorResult<Bytes, void>> {
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
