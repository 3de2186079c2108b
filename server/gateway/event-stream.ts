/** An answer that is an event stream: kept alive while nothing comes, and ended in band when its tab is lost. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '#lib/core/clock.ts';
import type { ApiError } from '#lib/core/errors.ts';

const heartbeatMs = 10_000;
const lineFeed = 10;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #cancelTimer: () => void;
  #lastWriteMs: number;
  /** Line feeds at the end of what was written: two are the end of an event. */
  #lineFeeds = 2;

  static isOne(response: ServerResponse): boolean {
    return String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
  }

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    this.#lastWriteMs = clock.now();
    this.#cancelTimer = clock.after(heartbeatMs, () => this.#beat());
  }

  /** False when the client should be waited for. Cheap: called once a token. */
  write(bytes: Uint8Array): boolean {
    this.#lastWriteMs = this.#clock.now();
    if (bytes.at(-1) !== lineFeed) this.#lineFeeds = 0;
    else this.#lineFeeds = bytes.at(-2) === lineFeed ? 2 : this.#lineFeeds + 1;
    return this.#response.write(bytes);
  }

  /** `data: {"error":…}` and no `[DONE]`, which clients take for what it is. */
  end(error: ApiError): void {
    this.stop();
    const completion = this.#lineFeeds >= 2 ? '' : '\n\n';
    this.#response.end(`${completion}data: ${JSON.stringify(error)}\n\n`);
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** A comment, in between events and only to a client that reads. */
  #beat(): void {
    const silentMs = this.#clock.now() - this.#lastWriteMs;
    if (silentMs >= heartbeatMs && this.#lineFeeds >= 2 && !this.#response.writableNeedDrain) {
      this.#response.write(': waiting\n\n');
    }
    const waitMs = silentMs >= heartbeatMs ? heartbeatMs : heartbeatMs - silentMs;
    this.#cancelTimer = this.#clock.after(waitMs, () => this.#beat());
  }
}
