/** Lines of a log, and hands that write it, for tests. */
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import type { Frames } from '#lib/state/frames.ts';

export function lineSample(number: number, changes: Partial<LogLineJson> = {}): LogLineJson {
  return {
    number,
    time_ms: Date.UTC(2026, 0, 1, 12) + number,
    level: 'info',
    source: 'service',
    component: 'runner',
    message: `line ${number}`,
    ...changes,
  };
}

export function engineSample(number: number, changes: Partial<LogLineJson> = {}): LogLineJson {
  return lineSample(number, {
    source: 'engine',
    component: 'llama.cpp',
    message: `tensor ${number}`,
    ...changes,
  });
}

/** Lines from `first`, `count` of them. */
export function linesFrom(first: number, count: number): readonly LogLineJson[] {
  return Array.from({ length: count }, (_, index) => lineSample(first + index));
}

/** Frames that come as soon as everything that is ready has run. */
export const promptFrames: Frames = { next: (callback) => void Promise.resolve().then(callback) };

/** The response of a log that is followed, and the hand that writes it. */
export class ScriptedLog {
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  readonly #encoder = new TextEncoder();
  readonly response: Response;

  constructor(signal?: AbortSignal) {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.response = new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
    signal?.addEventListener('abort', () => this.#controller?.error(signal.reason));
  }

  write(...lines: readonly LogLineJson[]): void {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  end(): void {
    this.#controller?.close();
  }
}
