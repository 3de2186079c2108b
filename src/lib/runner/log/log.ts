/** The log: one stream of lines, the newest in memory and on the disk. Lines of the runner say what `messages.ts` allows. */
import type { Clock } from '#lib/core/clock.ts';
import type { LogLevel, LogLineJson } from '#lib/model/wire-requests.ts';
import { cleanText, describeFailure } from './clean.ts';
import type { LogFields, LogMessage } from './messages.ts';
import { LogDisk } from './disk.ts';
import type { LogStore } from './port.ts';

export interface LogOptions {
  readonly clock: Clock;
  readonly store: LogStore;
  /** Whether an engine answers a request at the moment. Then what it says may quote the request. */
  readonly answering?: () => boolean;
  /** Every line, for the browser's console. */
  readonly echo?: (line: LogLineJson) => void;
}

export interface EngineLine {
  readonly level: LogLevel;
  readonly text: string;
}

export const maxLines = 10_000;

export class Log {
  readonly #clock: Clock;
  readonly #disk: LogDisk;
  readonly #answering: () => boolean;
  readonly #echo: (line: LogLineJson) => void;
  readonly #followers = new Set<(line: LogLineJson) => void>();
  /** Oldest first; may be half as many again, so that not every line moves all others. */
  #lines: LogLineJson[] = [];
  #number = 0;

  constructor({ clock, store, answering = () => false, echo = () => undefined }: LogOptions) {
    this.#clock = clock;
    this.#disk = new LogDisk(store, clock, maxLines);
    this.#answering = answering;
    this.#echo = echo;
  }

  /** Takes up the lines of earlier sessions; what was written before comes after them. */
  async start(): Promise<void> {
    const earlier = await this.#disk.load();
    const early = this.#lines.splice(0);
    this.#lines = [...earlier];
    this.#number = earlier.at(-1)?.number ?? 0;
    for (const { number: _number, ...line } of early) this.#keep(line);
    this.#disk.open();
    for (const line of this.#lines.slice(earlier.length)) this.#disk.add(line);
  }

  /** A line of the runner. */
  write(level: LogLevel, component: string, message: LogMessage, fields: LogFields = {}): void {
    const said = Object.entries(fields).flatMap(([name, value]: [string, LogLineFieldValue | undefined]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? cleanText(value, 200) : value] as const],
    );
    this.#add({
      level,
      source: 'service',
      component,
      message,
      ...(said.length > 0 && { fields: Object.fromEntries(said) }),
    });
  }

  /** A failure that nobody foresaw: its class and its place, never its message. */
  failure(component: string, thrown: unknown): void {
    this.write('error', component, 'unexpected failure', describeFailure(thrown));
  }

  /** A line of an engine, as it is; one that is said while a request is answered is left out. */
  engine(name: string, { level, text }: EngineLine): void {
    if (!this.#answering()) {
      this.#add({ level, source: 'engine', component: name, message: cleanText(text, 2000) });
    } else if (level === 'warn' || level === 'error') {
      const message: LogMessage = 'the engine had something to say while it answered, which is left out';
      this.#add({ level, source: 'engine', component: name, message });
    }
  }

  /** Oldest first, at most 10 000. */
  lines(): readonly LogLineJson[] {
    return this.#lines.slice(-maxLines);
  }

  /** Tells of every line from now on; returns how to stop. */
  follow(tell: (line: LogLineJson) => void): () => void {
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  /** Resolves when everything is on the disk, or cannot be. */
  close(): Promise<void> {
    return this.#disk.flush();
  }

  #add(line: Omit<LogLineJson, 'number' | 'time_ms'>): void {
    const kept = this.#keep({ ...line, time_ms: this.#clock.now() });
    this.#disk.add(kept);
    this.#echo(kept);
    for (const tell of [...this.#followers]) tell(kept);
  }

  #keep(line: Omit<LogLineJson, 'number'>): LogLineJson {
    const kept = { number: ++this.#number, ...line };
    this.#lines.push(kept);
    if (this.#lines.length >= maxLines * 1.5) this.#lines = this.#lines.slice(-maxLines);
    return kept;
  }
}

type LogLineFieldValue = string | number | boolean;
