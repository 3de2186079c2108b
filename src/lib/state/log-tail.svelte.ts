/** The live end of the log: lines as the runner writes them, in batches of one animation frame. */
import { sleep, type Clock } from '#lib/core/clock.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import { send, type Client } from './client.ts';
import type { Connection } from './feed.svelte.ts';
import { oncePerFrame, type Frames } from './frames.ts';
import { jsonLines } from './ndjson.ts';

const firstDelayMs = 250;
const longestDelayMs = 4000;

export interface LogTailOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly frames: Frames;
  readonly onLines: (lines: readonly LogLineJson[]) => void;
}

export class LogTail {
  readonly #options: LogTailOptions;
  readonly #flush: () => void;
  #connection = $state.raw<Connection>({ kind: 'connecting' });
  #batch: LogLineJson[] = [];
  /** Of the last line that came: another host goes on after it. */
  #lastNumber = 0;
  #hurry: () => void = () => undefined;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#flush = oncePerFrame(options.frames, () => {
      const lines = this.#batch;
      this.#batch = [];
      options.onLines(lines);
    });
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Follows the log until the returned function is called. */
  start(): () => void {
    const controller = new AbortController();
    void this.#follow(controller.signal);
    return () => controller.abort();
  }

  /** Skips what is left of the pause before the next attempt. */
  retry(): void {
    this.#hurry();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let delayMs = firstDelayMs;
    for (;;) {
      const error = await this.#listen(signal);
      if (signal.aborted) return;
      if (this.#connection.kind === 'live') delayMs = firstDelayMs;
      this.#connection = { kind: 'lost', error };
      await this.#pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  /** Resolves with why the log ended; while the runner lives it never does. */
  async #listen(signal: AbortSignal): Promise<ApiError> {
    const path = `/logs?follow=true&after=${this.#lastNumber}`;
    const headers = { accept: 'application/x-ndjson' };
    try {
      const response = await send(this.#options.client, path, { headers, signal });
      this.#connection = { kind: 'live' };
      for await (const line of jsonLines<LogLineJson>(response)) this.#take(line);
      return new ApiError('host_lost', 'The engine went away. This page looks for it again by itself.');
    } catch (thrown) {
      return toApiError(thrown);
    }
  }

  #take(line: LogLineJson): void {
    this.#lastNumber = line.number;
    this.#batch.push(line);
    this.#flush();
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#hurry = () => early.abort();
    try {
      await sleep(this.#options.clock, delayMs, AbortSignal.any([signal, early.signal]));
    } catch {
      // Woken early, by a retry or by the end; the loop looks which.
    }
  }
}
