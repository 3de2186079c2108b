/** Finds records: by their rows in memory, and by text, of which the memory holds the start and the disk all. */
import type { RequestJson, RequestRowJson } from '#lib/model/wire-requests.ts';
import type { Entry } from './entry.ts';
import type { Criteria } from './filter.ts';
import type { Shelf } from './shelf.ts';
import { readAsked } from './texts.ts';

export interface PageWish {
  readonly limit: number;
  /** An id: what was started before it. */
  readonly before?: string | undefined;
}

export interface Found {
  readonly requests: readonly RequestRowJson[];
  readonly next?: string;
  readonly total: number;
}

export class Search {
  readonly #shelf: Shelf;
  readonly #read: (id: string) => Promise<RequestJson | undefined>;

  constructor(shelf: Shelf, read: (id: string) => Promise<RequestJson | undefined>) {
    this.#shelf = shelf;
    this.#read = read;
  }

  /** Newest first. */
  async page(wanted: Criteria, { limit, before }: PageWish): Promise<Found> {
    const requests: RequestRowJson[] = [];
    let [total, following] = [0, false];
    for (const entry of this.#shelf.newest(wanted)) {
      if (!this.#surely(entry, wanted.q) && !(await this.#onDisk(entry, wanted.q))) continue;
      total++;
      if (before !== undefined && entry.row.id >= before) continue;
      if (requests.length < limit) requests.push(entry.row);
      else following = true;
    }
    const next = following ? requests.at(-1)?.id : undefined;
    return { requests, total, ...(next !== undefined && { next }) };
  }

  async matches(id: string, wanted: Criteria): Promise<boolean> {
    const entry = this.#shelf.matching(id, wanted);
    if (!entry) return false;
    return this.#surely(entry, wanted.q) || this.#onDisk(entry, wanted.q);
  }

  #surely({ text }: Entry, wanted: string | undefined): boolean {
    return wanted === undefined || text.includes(wanted.toLowerCase());
  }

  async #onDisk({ row, whole }: Entry, wanted = ''): Promise<boolean> {
    if (whole) return false;
    const record = await this.#read(row.id);
    return record !== undefined && searchTextOf(record).toLowerCase().includes(wanted.toLowerCase());
  }
}

export function searchTextOf(record: RequestJson): string {
  const { model, request_body: body, reasoning, answer, error_code: code = '' } = record;
  return [model, promptOf(body.text), reasoning?.text ?? '', answer.text, code].join('\n');
}

/** A body that was cut is no JSON any more: then all of it counts. */
function promptOf(body: string): string {
  try {
    return readAsked(JSON.parse(body)).prompt;
  } catch {
    return body;
  }
}
