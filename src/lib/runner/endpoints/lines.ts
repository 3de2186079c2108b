/** Answers of one JSON object per line, written while the work goes on. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import type { Call } from '#lib/runner/router.ts';
import { streamed } from './respond.ts';

export interface LineWork<T> {
  /** Resolves when all is done. `tell` writes a line; the signal aborts when the reader leaves. */
  readonly run: (tell: (line: T) => void, signal: AbortSignal) => Promise<void>;
  /** The last line of work that failed after its first. */
  readonly failed: (error: ApiError) => T;
}

export interface LineFormat {
  (line: unknown): Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** The first line decides the status: what fails before it is an HTTP error, what fails later is the last line. */
export async function lineResponse<T>(call: Call, format: LineFormat, work: LineWork<T>): Promise<Response> {
  const left = new AbortController();
  const signal = AbortSignal.any([call.request.signal, left.signal]);
  const lines = linesOf(work, signal);
  const first = await lines.next();
  return streamed(encoded(first, lines, format), {
    headers: { 'content-type': format.contentType, 'cache-control': 'no-cache' },
    onCancel: () => left.abort(new ApiError('aborted', 'The request was cancelled.')),
  });
}

/** One object per line as it is. */
export const plainLines: LineFormat = Object.assign(
  (line: unknown) => new TextEncoder().encode(`${JSON.stringify(line)}\n`),
  { contentType: 'application/x-ndjson' },
);

/** Docker Model Runner escapes HTML in its text form, and its clients unescape it; whoever accepts JSON gets it plain. */
export function progressFormat(call: Call): LineFormat {
  if (call.request.headers.get('accept') === 'application/json') {
    return Object.assign((line: unknown) => plainLines(line), { contentType: 'application/json' });
  }
  const encoder = new TextEncoder();
  return Object.assign((line: unknown) => encoder.encode(`${escapeHtml(JSON.stringify(line))}\n`), {
    contentType: 'text/plain; charset=utf-8',
  });
}

export async function* encoded<T>(
  first: IteratorResult<T, void>,
  rest: AsyncIterator<T, void, undefined>,
  format: LineFormat,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    for (let result = first; !result.done; result = await rest.next()) yield format(result.value);
  } finally {
    await rest.return?.();
  }
}

async function* linesOf<T>(work: LineWork<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const lines = new AsyncQueue<T>();
  let told = false;
  const running = work
    .run((line) => {
      told = true;
      lines.push(line);
    }, signal)
    .then(
      () => lines.close(),
      (thrown: unknown) => {
        if (!told) return lines.fail(thrown);
        lines.push(work.failed(toApiError(thrown)));
        lines.close();
      },
    );
  for await (const line of lines) yield line;
  await running;
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => htmlEscapes[character] ?? character);
}
