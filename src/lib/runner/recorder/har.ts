/** Records as an HTTP Archive 1.2, which the network panel of every browser opens. */
import type { RequestJson } from '#lib/model/wire-requests.ts';

export function harHead(version: string): string {
  const creator = JSON.stringify({ name: 'Sampan', version });
  return `{"log":{"version":"1.2","creator":${creator},"entries":[`;
}

export const harTail = ']}}';

/** `origin` is where the runner answers: a record knows the path only. */
export function harEntry(record: RequestJson, origin: string): Readonly<Record<string, unknown>> {
  const { timing, error } = record;
  return {
    startedDateTime: new Date(record.started_ms).toISOString(),
    time: timing.duration_ms ?? 0,
    request: {
      method: record.method,
      url: `${origin}${record.path}`,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: headersOf(record.request_headers),
      queryString: [],
      postData: { mimeType: 'application/json', text: record.request_body.text },
      headersSize: -1,
      bodySize: byteLength(record.request_body.text),
    },
    response: responseOf(record),
    cache: {},
    timings: {
      blocked: (timing.queue_ms ?? 0) + (timing.load_ms ?? 0),
      send: 0,
      wait: timing.prefill_ms ?? 0,
      receive: timing.decode_ms ?? 0,
    },
    ...(error && { comment: `${error.code}: ${error.message}` }),
    _sampan: { id: record.id, state: record.state, source: record.source, usage: record.usage },
  };
}

function responseOf(record: RequestJson): Readonly<Record<string, unknown>> {
  const { text } = record.response_body;
  return {
    // 0 is how browsers write a request that got no answer.
    status: record.status_code ?? 0,
    statusText: '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: headersOf(record.response_headers),
    content: { size: byteLength(text), mimeType: record.response_headers['content-type'] ?? '', text },
    redirectURL: '',
    headersSize: -1,
    bodySize: byteLength(text),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): readonly unknown[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
