/** Everything the log's page works with: the live end of the log, and what is shown of it. */
import { systemClock, type Clock } from '#lib/core/clock.ts';
import type { Client } from './client.ts';
import { browserFrames, type Frames } from './frames.ts';
import { logFile, type LogFileForm } from './log-file.ts';
import { WorkerLogSearch, type LogSearch } from './log-search.ts';
import { LogTail } from './log-tail.svelte.ts';
import { LogView } from './log-view.svelte.ts';
import { saveFile } from './save-file.ts';

interface LogDeskOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly frames: Frames;
  readonly search: LogSearch;
  /** What is searched for at first. */
  readonly query?: string | undefined;
}

/** With what the browser offers. */
export function openLog(client: Client, query: string): LogDesk {
  const search = new WorkerLogSearch(systemClock);
  return new LogDesk({ client, clock: systemClock, frames: browserFrames, search, query });
}

export class LogDesk {
  readonly tail: LogTail;
  readonly view: LogView;
  readonly #clock: Clock;

  constructor({ client, clock, frames, search, query }: LogDeskOptions) {
    this.#clock = clock;
    this.view = new LogView({ frames, search });
    this.tail = new LogTail({ client, clock, frames, onLines: (lines) => this.view.take(lines) });
    if (query !== undefined) this.view.find(query);
  }

  /** Follows the log until the returned function is called. */
  start(): () => void {
    const stop = this.tail.start();
    return () => {
      stop();
      this.view.close();
    };
  }

  /** The lines that are shown, as a file. */
  download(form: LogFileForm): void {
    const time = new Date(this.#clock.now()).toISOString().slice(0, 19).replaceAll(':', '-');
    const name = `sampan-log-${time}.${form === 'jsonl' ? 'jsonl' : 'txt'}`;
    saveFile(name, logFile(this.view.shownLines(), form));
  }
}
