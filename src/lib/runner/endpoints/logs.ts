/** GET /logs: Docker Model Runner's text, or JSON lines for who accepts them; `follow` stays for what comes. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import type { Log } from '#lib/runner/log/log.ts';
import { textLine } from '#lib/runner/log/text-form.ts';
import { wholeNumber } from '#lib/runner/recorder/filter.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { streamed } from './respond.ts';

export function logRoutes(log: Log): readonly Route[] {
  return [{ method: 'GET', pattern: '/logs', handle: (call) => logs(call, log) }];
}

function logs(call: Call, log: Log): Response {
  const query = call.url.searchParams;
  const [follow, noEngines] = [strictFlag(query, 'follow'), strictFlag(query, 'no-engines')];
  const after = wholeNumber(query, 'after') ?? 0;
  const format = formatFor(call);
  const shown = ({ number, source }: LogLineJson) => number > after && !(noEngines && source === 'engine');
  const queue = new AsyncQueue<LogLineJson>(() => stop());
  // In the same turn as the lines so far, so that none is missed and none comes twice.
  const stop = follow ? log.follow((line) => queue.push(line)) : () => undefined;
  const sofar = log.lines().filter(shown);
  if (!follow) queue.close();
  call.request.signal.addEventListener('abort', () => void queue.return(), { once: true });
  return streamed(written(sofar, queue, { shown, format }), {
    headers: { 'content-type': format.contentType, 'cache-control': 'no-cache' },
    onCancel: () => void queue.return(),
  });
}

interface LogFormat {
  readonly contentType: string;
  readonly write: (line: LogLineJson) => string;
}

const textForm: LogFormat = { contentType: 'text/plain; charset=utf-8', write: textLine };

interface Manner {
  readonly shown: (line: LogLineJson) => boolean;
  readonly format: LogFormat;
}

const linesPerChunk = 500;

async function* written(
  sofar: readonly LogLineJson[],
  rest: AsyncQueue<LogLineJson>,
  { shown, format }: Manner,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const encoder = new TextEncoder();
  for (let at = 0; at < sofar.length; at += linesPerChunk) {
    yield encoder.encode(
      sofar
        .slice(at, at + linesPerChunk)
        .map(format.write)
        .join(''),
    );
  }
  for await (const line of rest) if (shown(line)) yield encoder.encode(format.write(line));
}

function formatFor({ request }: Call): LogFormat {
  if (!request.headers.get('accept')?.includes('application/x-ndjson')) return textForm;
  return { contentType: 'application/x-ndjson', write: (line) => `${JSON.stringify(line)}\n` };
}

/** As Go reads a boolean; what is none is refused, not taken for one. */
function strictFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || /^(0|f|F|false|False|FALSE)$/.test(value)) return false;
  if (/^(|1|t|T|true|True|TRUE)$/.test(value)) return true;
  throw new ApiError('invalid_request', `“${name}” must be true or false.`, { param: name });
}
