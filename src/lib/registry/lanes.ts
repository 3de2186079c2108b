/** Works on some of many things at once. */

export interface LanesOptions {
  readonly lanes: number;
  readonly signal: AbortSignal;
}

/** The first failure stops the others and is what rejects, after all of them have ended. */
export async function inLanes<Item>(
  items: Iterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
  { lanes, signal }: LanesOptions,
): Promise<void> {
  const stop = new AbortController();
  const limited = AbortSignal.any([signal, stop.signal]);
  const queue = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async () => {
    try {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        limited.throwIfAborted();
        await work(next.value, limited);
      }
    } catch (thrown) {
      failures.push(thrown);
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
}
