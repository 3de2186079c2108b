/**
 * Rows newest first, each request once: of two rows of one request the higher version stays. What is gone does not come
 * back with a page that was on its way.
 */
import type { RequestRowJson } from '#lib/model/wire-requests.ts';

export class RequestRows {
  #rows: RequestRowJson[] = [];
  readonly #gone = new Set<string>();

  /** The same array until something changes. */
  get list(): readonly RequestRowJson[] {
    return this.#rows;
  }

  /** `true` when the request was not here. */
  take(row: RequestRowJson): boolean {
    this.#gone.delete(row.id);
    const at = this.#placeOf(row.id);
    const here = this.#rows[at];
    const isKnown = here?.id === row.id;
    if (isKnown && here.version >= row.version) return false;
    this.#rows = this.#rows.toSpliced(at, isKnown ? 1 : 0, row);
    return !isKnown;
  }

  /** A page of a list, newest first: merged in one go. */
  takeAll(page: readonly RequestRowJson[]): void {
    const byId = new Map(this.#rows.map((row) => [row.id, row]));
    for (const row of page) {
      const here = byId.get(row.id);
      if (this.#gone.has(row.id)) continue;
      if (!here || here.version < row.version) byId.set(row.id, row);
    }
    this.#rows = [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** How many of them were here. */
  drop(ids: readonly string[]): number {
    for (const id of ids) this.#gone.add(id);
    const rest = this.#rows.filter(({ id }) => !this.#gone.has(id));
    const dropped = this.#rows.length - rest.length;
    if (dropped > 0) this.#rows = rest;
    return dropped;
  }

  /** The index of a request, or where it belongs. Ids sort by time. */
  #placeOf(id: string): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.id ?? '') > id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
