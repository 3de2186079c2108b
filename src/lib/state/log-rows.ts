/** The rows of the log's list, built line by line: days, lines, and runs of an engine's output folded into one row. */
import type { LogEntry, Span } from './log-entry.ts';

export type LogRow =
  | { readonly kind: 'day'; readonly key: string; readonly last: number; readonly timeMs: number }
  | LineRow
  | FoldRow;

export interface LineRow {
  readonly kind: 'line';
  readonly key: string;
  /** The number of the last line that the row stands for. */
  readonly last: number;
  readonly entry: LogEntry;
  readonly matches: readonly Span[];
  /** It belongs to the fold above it. */
  readonly isFolded: boolean;
}

/** A run of what one engine said about one model. */
export interface FoldRow {
  readonly kind: 'fold';
  readonly key: string;
  readonly last: number;
  readonly component: string;
  /** The model that was loaded when the engine spoke, as far as the log tells. */
  readonly model: string | undefined;
  readonly entries: readonly LogEntry[];
  readonly isOpen: boolean;
}

interface RowsOptions {
  /** `apart`: engine output is shown line by line. */
  readonly engineOutput: 'folded' | 'apart';
  readonly openFolds: readonly string[];
}

export class LogRows {
  readonly #options: RowsOptions;
  #rows: LogRow[] = [];
  #lines = 0;
  #day = '';
  /** The latest model that a line of the runner named. */
  #model: string | undefined;
  /** The fold that the next line may join, and where it is. */
  #run: { fold: FoldRow; index: number; entries: LogEntry[] } | undefined;

  constructor(options: RowsOptions) {
    this.#options = options;
  }

  /** Lines in all, those in folds counted. */
  get lineCount(): number {
    return this.#lines;
  }

  snapshot(): readonly LogRow[] {
    return [...this.#rows];
  }

  add(entry: LogEntry, matches: readonly Span[]): void {
    const { line } = entry;
    const model = line.fields?.model;
    if (line.source === 'service' && typeof model === 'string') this.#model = model;
    this.#lines++;
    this.#startDay(line.time_ms, line.number);
    if (this.#options.engineOutput === 'folded' && isQuiet(entry)) return this.#fold(entry);
    this.#run = undefined;
    this.#rows.push(lineRow(entry, matches, 'apart'));
  }

  /** Opens or closes a fold in place. */
  toggle({ key }: FoldRow): void {
    const index = this.#rows.findIndex((row) => row.key === key);
    const fold = this.#rows[index];
    if (fold?.kind !== 'fold') return;
    const toggled = { ...fold, isOpen: !fold.isOpen };
    const inside = toggled.isOpen ? fold.entries.map((entry) => lineRow(entry, [], 'folded')) : [];
    const after = index + 1 + (fold.isOpen ? fold.entries.length : 0);
    const before = this.#rows.length;
    this.#rows = this.#rows.slice(0, index).concat([toggled], inside, this.#rows.slice(after));
    if (!this.#run) return;
    if (this.#run.fold.key === key) this.#run.fold = toggled;
    else if (index < this.#run.index) this.#run.index += this.#rows.length - before;
  }

  /** Lets go of lines before `number`; returns whether there were any rows of them. */
  dropBefore(number: number): boolean {
    const kept = this.#rows.findIndex(({ last }) => last >= number);
    const gone = kept < 0 ? this.#rows.length : kept;
    for (const row of this.#rows.slice(0, gone)) this.#lines -= linesOf(row);
    this.#rows = this.#rows.slice(gone);
    if (this.#run) this.#run.index -= gone;
    if (this.#run && this.#run.index < 0) this.#run = undefined;
    return this.#shortenFirst(number) || gone > 0;
  }

  /** A fold that has begun before `number` and goes on after it. */
  #shortenFirst(number: number): boolean {
    const [fold] = this.#rows;
    if (fold?.kind !== 'fold') return false;
    const gone = fold.entries.findIndex(({ line }) => line.number >= number);
    if (gone <= 0) return false;
    const entries = fold.entries.slice(gone);
    const shorter = { ...fold, entries };
    this.#lines -= gone;
    this.#rows = [shorter, ...this.#rows.slice(fold.isOpen ? gone + 1 : 1)];
    if (this.#run?.fold.key === fold.key) this.#run = { fold: shorter, index: 0, entries };
    else if (this.#run && fold.isOpen) this.#run.index -= gone;
    return true;
  }

  #startDay(timeMs: number, number: number): void {
    const day = new Date(timeMs).toDateString();
    if (day === this.#day) return;
    this.#day = day;
    this.#run = undefined;
    this.#rows.push({ kind: 'day', key: `day ${number}`, last: number, timeMs });
  }

  #fold(entry: LogEntry): void {
    const { component, fields, number } = entry.line;
    const own = fields?.model;
    const model = typeof own === 'string' ? own : this.#model;
    const run = this.#run;
    if (run?.fold.component !== component || run.fold.model !== model) {
      const key = `fold ${number}`;
      const isOpen = this.#options.openFolds.includes(key);
      const entries = [entry];
      const fold: FoldRow = { kind: 'fold', key, last: number, component, model, entries, isOpen };
      this.#run = { fold, index: this.#rows.length, entries };
      this.#rows.push(fold);
    } else {
      run.entries.push(entry);
      // A new object, for the page compares rows by identity; the list of its lines may be long and is shared.
      run.fold = { ...run.fold, last: number };
      this.#rows[run.index] = run.fold;
    }
    if (this.#run?.fold.isOpen) this.#rows.push(lineRow(entry, [], 'folded'));
  }
}

/** Engine output that nobody needs to see at once: warnings and errors always stand by themselves. */
function isQuiet({ line }: LogEntry): boolean {
  return line.source === 'engine' && (line.level === 'debug' || line.level === 'info');
}

function lineRow(entry: LogEntry, matches: readonly Span[], place: 'folded' | 'apart'): LineRow {
  const { number } = entry.line;
  return {
    kind: 'line',
    key: `line ${number}`,
    last: number,
    entry,
    matches,
    isFolded: place === 'folded',
  };
}

function linesOf(row: LogRow): number {
  if (row.kind === 'fold') return row.entries.length;
  return row.kind === 'line' && !row.isFolded ? 1 : 0;
}
