/** What the log's page shows of it: filters, pause, and rows that are built a batch a frame, however many lines there are. */
import { toApiError } from '#lib/core/errors.ts';
import { logLevels, type LogLevel, type LogLineJson } from '#lib/model/wire-requests.ts';
import type { Frames } from './frames.ts';
import { logEntry, type LogEntry } from './log-entry.ts';
import { matching, type LogMatch, type LogSource } from './log-match.ts';
import { parseQuery, type LogQuery } from './log-query.ts';
import { LogPump } from './log-pump.ts';
import { LogRing, type LogCounts } from './log-ring.ts';
import { LogRows, type FoldRow, type LogRow } from './log-rows.ts';
import type { LogSearch } from './log-search.ts';

export interface LogRowList {
  readonly rows: readonly LogRow[];
  /** Lines that match, those in folds counted. */
  readonly lineCount: number;
  /** Whether rows went from the start since the last list: the list then keeps its place counted from the end. */
  readonly change: 'start' | 'end';
}

export interface LogViewOptions {
  readonly frames: Frames;
  readonly search: LogSearch;
  readonly maxLines?: number;
}

/** Lines that are looked at before the page is painted again; a few milliseconds. */
const batchLines = 4000;

export class LogView {
  readonly #search: LogSearch;
  readonly #ring: LogRing;
  readonly #pump: LogPump;
  #list = $state.raw<LogRowList>({ rows: [], lineCount: 0, change: 'end' });
  #counts = $state.raw<LogCounts>(new LogRing().counts());
  #levels = $state.raw<readonly LogLevel[]>(logLevels);
  #source = $state<LogSource>('all');
  #typed = $state('');
  #failure = $state<string>();
  #engineOutput = $state<'folded' | 'apart'>('folded');
  #isPaused = $state(false);
  #waiting = $state(0);
  #openFolds: readonly string[] = [];
  #query: Exclude<LogQuery, { kind: 'invalid' }> = { kind: 'none' };
  #rows: LogRows;
  /** Entries of the ring that the rows were built from. */
  #built = 0;
  /** Aborted when the rows begin anew. */
  #building = new AbortController();
  /** What is shown was built for other filters. */
  #isStale = false;
  #isClosed = false;

  constructor({ frames, search, maxLines }: LogViewOptions) {
    this.#search = search;
    this.#ring = new LogRing(maxLines);
    this.#rows = this.#newRows();
    const step = () => this.#buildBatch();
    this.#pump = new LogPump(frames, { step, isLeft: () => this.#hasWork });
  }

  get list(): LogRowList {
    return this.#list;
  }

  /** Of all lines, whatever the filters show. */
  get counts(): LogCounts {
    return this.#counts;
  }

  get levels(): readonly LogLevel[] {
    return this.#levels;
  }

  get source(): LogSource {
    return this.#source;
  }

  get query(): string {
    return this.#typed;
  }

  /** Why the query finds nothing new: what is shown is what the last good one found. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get engineOutput(): 'folded' | 'apart' {
    return this.#engineOutput;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Lines that came since the pause. */
  get waiting(): number {
    return this.#waiting;
  }

  take(lines: readonly LogLineJson[]): void {
    this.#built -= this.#ring.add(lines.map(logEntry));
    this.#counts = this.#ring.counts();
    if (this.#isPaused) this.#waiting += lines.length;
    else void this.#pump.run();
  }

  /** Shows or hides the lines of a level. */
  toggleLevel(level: LogLevel): void {
    this.#levels = toggled(this.#levels, level);
    this.#restart();
  }

  showSource(source: LogSource): void {
    this.#source = source;
    this.#restart();
  }

  find(typed: string): void {
    this.#typed = typed;
    const query = parseQuery(typed);
    this.#failure = query.kind === 'invalid' ? query.message : undefined;
    if (query.kind === 'invalid') return;
    this.#query = query;
    this.#restart();
  }

  showEngineOutput(how: 'folded' | 'apart'): void {
    this.#engineOutput = how;
    this.#restart();
  }

  /** No filter, so that everything shows. */
  showAll(): void {
    this.#levels = logLevels;
    this.#source = 'all';
    this.find('');
  }

  toggleFold(fold: FoldRow): void {
    this.#openFolds = toggled(this.#openFolds, fold.key);
    this.#rows.toggle(fold);
    this.#publish('end');
  }

  /** What comes from now on is kept and not shown. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#waiting = 0;
    void this.#pump.run();
  }

  /** Empties the page; the log of the runner keeps its lines. */
  clear(): void {
    this.#ring.clear();
    this.#counts = this.#ring.counts();
    this.#waiting = 0;
    this.#restart();
  }

  /** Every line that the filters let through, folded or not; for a file. */
  shownLines(): readonly LogEntry[] {
    return this.#list.rows.flatMap((row) => {
      if (row.kind === 'fold') return row.entries;
      return row.kind === 'line' && !row.isFolded ? [row.entry] : [];
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#building.abort();
    this.#search.close();
  }

  #restart(): void {
    this.#begin();
    void this.#pump.run();
  }

  #begin(): void {
    this.#building.abort();
    this.#building = new AbortController();
    this.#rows = this.#newRows();
    this.#built = 0;
    this.#isStale = true;
  }

  #newRows(): LogRows {
    // What was searched for must be seen, not folded away.
    const engineOutput = this.#query.kind === 'none' ? this.#engineOutput : 'apart';
    return new LogRows({ engineOutput, openFolds: this.#openFolds });
  }

  /** Before lines that came since a pause. */
  get #end(): number {
    return Math.max(0, this.#ring.length - this.#waiting);
  }

  get #hasWork(): boolean {
    return !this.#isClosed && (this.#isStale || this.#built < this.#end);
  }

  async #buildBatch(): Promise<void> {
    const { signal } = this.#building;
    const rows = this.#rows;
    this.#built = Math.max(0, this.#built);
    if (!this.#isPaused && rows.dropBefore(this.#ring.first)) {
      this.#publish('start');
      await this.#pump.nextFrame();
      if (signal.aborted) return;
    }
    const batch = this.#ring.slice(this.#built, Math.min(this.#built + batchLines, this.#end));
    const found = await this.#match(batch, signal);
    if (signal.aborted) return;
    for (const { entry, spans } of found) rows.add(entry, spans);
    this.#built += batch.length;
    this.#isStale = false;
    this.#publish('end');
  }

  async #match(entries: readonly LogEntry[], signal: AbortSignal): Promise<readonly LogMatch[]> {
    const filter = { levels: this.#levels, source: this.#source, query: this.#query };
    try {
      return await matching(entries, filter, this.#search, signal);
    } catch (thrown) {
      if (!signal.aborted) this.#giveUp(toApiError(thrown).message);
      return [];
    }
  }

  /** An expression that takes too long is as good as none; everything is shown again. */
  #giveUp(failure: string): void {
    this.#query = { kind: 'none' };
    this.#failure = failure;
    this.#begin();
  }

  #publish(change: LogRowList['change']): void {
    this.#list = { rows: this.#rows.snapshot(), lineCount: this.#rows.lineCount, change };
  }
}

function toggled<T>(list: readonly T[], item: T): readonly T[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}
