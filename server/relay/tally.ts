/** The log line of one relayed request: method, host, status and bytes. Never a path or a query, which hold secrets. */
import type { Readable } from 'node:stream';

export class Tally {
  host = '-';
  #upBytes = 0;
  #downBytes = 0;

  /** Counts what goes to the registry. Attach in the same turn as the reader of the stream: it starts the flow. */
  countUp(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => (this.#upBytes += chunk.length));
  }

  /** Counts what comes from the registry; the same rule. */
  countDown(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => (this.#downBytes += chunk.length));
  }

  addUp(sizeBytes: number): void {
    this.#upBytes += sizeBytes;
  }

  addDown(sizeBytes: number): void {
    this.#downBytes += sizeBytes;
  }

  line(method: string, status: number): string {
    return `relay ${method} ${this.host} ${status} ${this.#upBytes} bytes up ${this.#downBytes} bytes down`;
  }
}
