/**
 * All requests that the models answered: those under way, and those that are kept. Every request is a record from its
 * first byte on; the disk sees it soon after it came to its model's queue and when it is over.
 */
import type { Clock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type {
  RequestImportJson,
  RequestJson,
  RequestMode,
  RequestPageJson,
  RequestRowJson,
  RequestSettingsJson,
  RequestsKeptJson,
} from '#lib/model/wire-requests.ts';
import type { Call } from '#lib/runner/router.ts';
import { withJoinedBody } from './answer-text.ts';
import { Archive, type Archived } from './archive.ts';
import { makeEntry, type Entry } from './entry.ts';
import { Changes, type RecorderChange } from './changes.ts';
import type { Criteria } from './filter.ts';
import { importLines } from './import.ts';
import { RequestMetrics } from './metrics.ts';
import type { RequestSettingsStore, RequestStore } from './port.ts';
import { Recording, type RecordingChange } from './recording.ts';
import { RequestIds } from './request-id.ts';
import { rowOf } from './row.ts';
import { Search, searchTextOf, type PageWish } from './search.ts';
import { defaultSettings, readSettings, type SettingsPatch } from './settings.ts';
import { Shelf } from './shelf.ts';
import { keptHeadersOf, readSource } from './source.ts';
import { isEnd } from './state-clock.ts';

export interface RecorderOptions {
  readonly store: RequestStore;
  readonly settings: RequestSettingsStore;
  readonly clock: Clock;
  readonly random?: () => number;
  /** The disk refuses: requests are answered all the same. */
  readonly onError?: (thrown: unknown) => void;
}

/** One that is over so soon is written once, and no first token waits for the disk's transaction. */
const shortMs = 100;

export class Recorder {
  readonly metrics = new RequestMetrics();
  readonly #clock: Clock;
  readonly #ids: RequestIds;
  readonly #archive: Archive;
  readonly #settingsStore: RequestSettingsStore;
  readonly #shelf = new Shelf();
  readonly #search: Search;
  readonly #live = new Map<string, Recording>();
  readonly #changes: Changes;
  #settings = defaultSettings;

  constructor({ store, settings, clock, random = Math.random, onError = () => undefined }: RecorderOptions) {
    this.#clock = clock;
    this.#changes = new Changes(clock);
    this.#ids = new RequestIds(clock, random);
    this.#archive = new Archive(store, onError);
    this.#settingsStore = settings;
    this.#search = new Search(this.#shelf, (id) => this.#read(id));
  }

  /** Reads what is kept. What was under way when the runner died is marked as lost. */
  async start(): Promise<void> {
    this.#settings = readSettings(await this.#settingsStore.load());
    const entries = await this.#archive.entries();
    for (const entry of entries) this.#shelf.put(entry);
    for (const entry of entries) if (!isEnd(entry.row.state)) await this.#lose(entry);
    this.#prune();
  }

  get settings(): RequestSettingsJson {
    return this.#settings;
  }

  get kept(): RequestsKeptJson {
    return this.#shelf.kept;
  }

  /** Rejects when the settings cannot be kept; then the old ones hold. */
  async configure(patch: SettingsPatch): Promise<RequestSettingsJson> {
    const settings = { ...this.#settings, ...patch };
    await this.#settingsStore.save(settings);
    this.#settings = settings;
    this.#prune();
    return settings;
  }

  begin({ request, url }: Pick<Call, 'request' | 'url'>, mode: RequestMode): Recording {
    const recording: Recording = new Recording(
      {
        id: this.#ids.next(),
        mode,
        method: request.method,
        path: url.pathname,
        source: readSource(request),
        headers: keptHeadersOf(request.headers),
        replayOf: this.#replayedBy(request),
      },
      this.#clock,
      (change) => this.#onChange(recording, change),
    );
    this.metrics.began();
    if (!this.#settings.recording || request.headers.get('x-sampan-record') === 'off') return recording;
    this.#live.set(recording.id, recording);
    this.#note(recording);
    this.#changes.tell({ type: 'changed', id: recording.id });
    return recording;
  }

  /** `false` for a request that is not to be recorded. */
  keeps({ id }: Recording): boolean {
    return this.#shelf.has(id);
  }

  row(id: string): RequestRowJson | undefined {
    return this.#live.get(id)?.toRow() ?? this.#shelf.get(id)?.row;
  }

  /** Throws `route_not_found`. */
  async get(id: string): Promise<RequestJson> {
    const record = await this.#read(id);
    if (record) return withJoinedBody(record);
    throw new ApiError('route_not_found', 'There is no record of this request. It may have been cleared.');
  }

  /** Newest first. */
  async page(wanted: Criteria, wish: PageWish): Promise<RequestPageJson> {
    for (const recording of this.#live.values()) this.#note(recording);
    return { ...(await this.#search.page(wanted, wish)), kept: this.kept };
  }

  matches(id: string, wanted: Criteria): Promise<boolean> {
    const live = this.#live.get(id);
    if (live) this.#note(live);
    return this.#search.matches(id, wanted);
  }

  /** Those that match; what is under way goes on and is kept when it is over. Resolves with how many went. */
  async clear(wanted: Criteria): Promise<number> {
    const { requests } = await this.page(wanted, { limit: Infinity });
    const ids = requests.flatMap(({ id }) => (this.#live.has(id) ? [] : [id]));
    this.#drop(ids);
    await this.#archive.settled();
    return ids.length;
  }

  /** Lines of JSON as an export wrote them. */
  async import(lines: AsyncIterable<string>): Promise<RequestImportJson> {
    return importLines(lines, {
      isKnown: (id) => this.#shelf.has(id),
      put: (records) => this.#take(records),
    });
  }

  /** Tells of every change; returns how to stop. */
  follow(tell: (change: RecorderChange) => void): () => void {
    return this.#changes.follow(tell);
  }

  /** What is under way is lost with the runner; resolves when that is written. */
  async close(): Promise<void> {
    const lost = new ApiError('host_lost', 'The tab that ran the model was closed. Try again.');
    for (const recording of [...this.#live.values()]) recording.fail(lost);
    await this.#archive.settled();
  }

  async #read(id: string): Promise<RequestJson | undefined> {
    const live = this.#live.get(id);
    if (live) return live.toJson();
    return this.#shelf.get(id) && (await this.#archive.get(id));
  }

  #replayedBy({ headers }: Request): string | undefined {
    const id = headers.get('x-sampan-replay-of') ?? '';
    return this.#shelf.get(id) && id;
  }

  #onChange(recording: Recording, change: RecordingChange): void {
    if (change === 'ended') this.metrics.ended(recording);
    if (!this.#live.has(recording.id)) return;
    if (change === 'piece') this.#changes.grown(recording.id);
    else this.#keep(recording, change);
  }

  #keep(recording: Recording, change: Exclude<RecordingChange, 'piece'>): void {
    const { id } = recording;
    const entry = this.#note(recording);
    if (change === 'begun') this.#clock.after(shortMs, () => this.#live.has(id) && this.#write(recording));
    if (change !== 'ended') {
      this.#changes.tell({ type: 'changed', id });
      return;
    }
    this.#live.delete(id);
    this.#write(recording, entry);
    this.#changes.ended(id);
    this.#prune();
  }

  #write(recording: Recording, entry = this.#note(recording)): void {
    this.#archive.keep({ id: recording.id, entry, record: recording.toJson() });
  }

  #note(recording: Recording): Entry {
    const entry = makeEntry(recording.toRow(), recording.searchText());
    this.#shelf.put(entry);
    return entry;
  }

  async #take(records: readonly RequestJson[]): Promise<void> {
    const archived = records.map((record): Archived => {
      return { id: record.id, entry: makeEntry(rowOf(record), searchTextOf(record)), record };
    });
    await this.#archive.put(archived);
    for (const { id, entry } of archived) {
      this.#shelf.put(entry);
      this.#changes.tell({ type: 'changed', id });
    }
    this.#prune();
  }

  async #lose({ row, ...rest }: Entry): Promise<void> {
    const { id } = row;
    const lost = { state: 'lost', version: row.version + 1 } as const;
    const record = await this.#archive.get(id);
    if (!record) {
      this.#drop([id]);
      return;
    }
    const entry = { ...rest, row: { ...row, ...lost } };
    this.#shelf.put(entry);
    this.#archive.keep({ id, entry, record: { ...record, ...lost } });
  }

  #prune(): void {
    const { max_count: maxCount, max_bytes: maxBytes } = this.#settings;
    this.#drop(this.#shelf.excess({ maxCount, maxBytes }));
  }

  #drop(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#shelf.remove(ids);
    this.#archive.drop(ids);
    this.#changes.tell({ type: 'gone', ids });
  }
}
