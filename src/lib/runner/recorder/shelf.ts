/** The entries of all records in memory, by time: 10 000 are filtered in a few milliseconds. */
import type { RequestsKeptJson } from '#lib/model/wire-requests.ts';
import type { Entry } from './entry.ts';
import { isEnd } from './state-clock.ts';
import { matchesRow, type Criteria } from './filter.ts';

export interface Limits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

export class Shelf {
  /** In the order of their ids, which is that of time. */
  #entries: Entry[] = [];
  #bytes = 0;

  get kept(): RequestsKeptJson {
    return { count: this.#entries.length, bytes: this.#bytes };
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  get(id: string): Entry | undefined {
    const entry = this.#entries[this.#place(id)];
    return entry?.row.id === id ? entry : undefined;
  }

  /** The entry of an id if it matches; the text is left to the caller. */
  matching(id: string, wanted: Criteria): Entry | undefined {
    const entry = this.get(id);
    return entry && matchesRow(entry.row, wanted) ? entry : undefined;
  }

  put(entry: Entry): void {
    const at = this.#place(entry.row.id);
    const known = this.#entries[at]?.row.id === entry.row.id ? this.#entries[at] : undefined;
    this.#bytes += entry.row.size_bytes - (known?.row.size_bytes ?? 0);
    this.#entries.splice(at, known ? 1 : 0, entry);
  }

  remove(ids: readonly string[]): void {
    const gone = new Set(ids);
    this.#entries = this.#entries.filter(({ row }) => !gone.has(row.id));
    this.#bytes = this.#entries.reduce((sum, { row }) => sum + row.size_bytes, 0);
  }

  /** Newest first; the text is left to the caller. */
  newest(wanted: Criteria): readonly Entry[] {
    return this.#entries.filter(({ row }) => matchesRow(row, wanted)).reverse();
  }

  /** The oldest that are too many or too large in sum; never one that is under way. */
  excess({ maxCount, maxBytes }: Limits): readonly string[] {
    let [count, bytes] = [this.#entries.length, this.#bytes];
    const ids: string[] = [];
    for (const { row } of this.#entries) {
      if (count <= maxCount && bytes <= maxBytes) break;
      if (!isEnd(row.state)) continue;
      ids.push(row.id);
      count--;
      bytes -= row.size_bytes;
    }
    return ids;
  }

  /** Where `id` is or would be. */
  #place(id: string): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.row.id ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
