/** Records as a file: JSONL, which can be imported again, or HAR for other tools. */
import { ApiError } from '#lib/core/errors.ts';
import type { RequestImportJson, RequestJson } from '#lib/model/wire-requests.ts';
import type { Criteria } from '#lib/runner/recorder/filter.ts';
import { harEntry, harHead, harTail } from '#lib/runner/recorder/har.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import type { Call } from '#lib/runner/router.ts';
import { streamed } from './respond.ts';

export interface ExportPorts {
  readonly recorder: Recorder;
  readonly version: string;
}

/** Oldest first. `format=har`, else JSONL. */
export async function exportRequests(
  call: Call,
  { recorder, version }: ExportPorts,
  wanted: Criteria,
): Promise<Response> {
  const format = call.url.searchParams.get('format') ?? 'jsonl';
  if (format !== 'jsonl' && format !== 'har') {
    throw new ApiError('invalid_request', '“format” must be jsonl or har.', { param: 'format' });
  }
  const { requests } = await recorder.page(wanted, { limit: Infinity });
  const records = read(recorder, requests.map(({ id }) => id).reverse());
  const texts = format === 'har' ? har(records, version, call.url.origin) : lines(records);
  return streamed(encoded(texts), {
    headers: {
      'content-type': format === 'har' ? 'application/json' : 'application/x-ndjson',
      'content-disposition': `attachment; filename="requests.${format}"`,
    },
    onCancel: () => undefined,
  });
}

/** The body is read as it comes: an export may be larger than any other request. */
export async function importRequests({ request }: Call, recorder: Recorder): Promise<RequestImportJson> {
  if (!request.body) throw new ApiError('invalid_request', 'The body must hold one record per line.');
  return recorder.import(linesOf(request.body));
}

/** What is dropped while the export runs is left out. */
async function* read(
  recorder: Recorder,
  ids: readonly string[],
): AsyncGenerator<RequestJson, void, undefined> {
  for (const id of ids) if (recorder.row(id)) yield await recorder.get(id);
}

async function* lines(records: AsyncIterable<RequestJson>): AsyncGenerator<string, void, undefined> {
  for await (const record of records) yield `${JSON.stringify(record)}\n`;
}

async function* har(
  records: AsyncIterable<RequestJson>,
  version: string,
  origin: string,
): AsyncGenerator<string, void, undefined> {
  yield harHead(version);
  let separator = '';
  for await (const record of records) {
    yield `${separator}\n${JSON.stringify(harEntry(record, origin))}`;
    separator = ',';
  }
  yield `\n${harTail}\n`;
}

async function* encoded(
  texts: AsyncIterable<string>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const encoder = new TextEncoder();
  for await (const text of texts) yield encoder.encode(text);
}

/** Longer than any record that can be kept. */
const maxLineChars = 64 * 1024 * 1024;

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const parts = (rest + decoder.decode(value, { stream: !done })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
      if (rest.length > maxLineChars)
        throw new ApiError(
          'request_too_large',
          'A line of this file is too long to be a record of a request.',
        );
      if (done) break;
    }
    yield rest;
  } finally {
    await reader.cancel();
  }
}
