/** GET /engines/requests: Docker Model Runner's inspector, as JSON or as its event stream. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import type { RequestJson, RequestRowJson } from '#lib/model/wire-requests.ts';
import { sseEvent, sseHeaders } from '#lib/openai/sse.ts';
import type { Criteria } from '#lib/runner/recorder/filter.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import { isEnd } from '#lib/runner/recorder/state-clock.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { withModelId } from './request-criteria.ts';
import { json, streamed } from './respond.ts';

export interface EngineRequestPorts {
  readonly recorder: Recorder;
  readonly library: Pick<Library, 'getLenient'>;
}

interface EnvelopeJson {
  readonly count: number;
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly records: readonly EngineRecordJson[];
}

interface EngineRecordJson {
  readonly id: string;
  readonly model: string;
  readonly method: string;
  readonly url: string;
  readonly request: string;
  readonly response?: string;
  readonly error?: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly status_code: number;
  readonly user_agent?: string;
  readonly origin?: string;
}

/** Docker Model Runner keeps ten of each model; whoever wants more pages through our own path. */
const perModel = 10;

export function engineRequestRoutes(ports: EngineRequestPorts): readonly Route[] {
  return [{ method: 'GET', pattern: '/engines/requests', handle: (call) => requests(call, ports) }];
}

async function requests(call: Call, { recorder, library }: EngineRequestPorts): Promise<Response> {
  const model = call.url.searchParams.get('model');
  const wanted = model === null || model === '' ? {} : await withModelId({ model }, library);
  if (!call.request.headers.get('accept')?.includes('text/event-stream')) {
    const records = await newest(recorder, wanted);
    return json([...grouped(records)].map(([group, each]) => envelope(group, each)));
  }
  return stream(call, recorder, wanted);
}

/** What is over, oldest first. */
async function newest(recorder: Recorder, wanted: Criteria): Promise<readonly RequestJson[]> {
  const { requests: rows } = await recorder.page(wanted, { limit: Infinity });
  const byModel = grouped(rows.filter(({ state }) => isEnd(state)));
  const ids = [...byModel.values()].flatMap((each) => each.slice(0, perModel)).map(({ id }) => id);
  return Promise.all(ids.sort().map((id) => recorder.get(id)));
}

function stream(call: Call, recorder: Recorder, wanted: Criteria): Response {
  const ended = new AsyncQueue<string>(() => stop());
  const stop = recorder.follow((change) => {
    const row = change.type === 'changed' ? recorder.row(change.id) : undefined;
    if (row && isEnd(row.state) && !row.imported) ended.push(row.id);
  });
  call.request.signal.addEventListener('abort', () => void ended.return(), { once: true });
  const existing = call.flag('include_existing') || call.flag('include-existing');
  return streamed(events(ended, recorder, existing ? { wanted, existing } : { wanted }), {
    headers: sseHeaders,
    onCancel: () => void ended.return(),
  });
}

interface Wish {
  readonly wanted: Criteria;
  readonly existing?: true;
}

/** The order is Docker Model Runner's: what there is, then `connected`, then what comes. */
async function* events(
  ended: AsyncQueue<string>,
  recorder: Recorder,
  { wanted, existing }: Wish,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (const record of existing ? await newest(recorder, wanted) : []) {
    yield sseEvent('existing_request', [envelope(groupOf(record), [record])]);
  }
  yield sseEvent('connected', { status: 'connected' });
  for await (const id of ended) {
    if (!(await recorder.matches(id, wanted))) continue;
    const record = await recorder.get(id);
    yield sseEvent('new_request', [envelope(record.model, [record])]);
  }
}

function envelope(model: string, records: readonly RequestJson[]): EnvelopeJson {
  return { count: records.length, model, config: configOf(records.at(-1)), records: records.map(recordOf) };
}

/** What the model ran with at last, in the words of `_configure`. */
function configOf(record: RequestJson | undefined): EnvelopeJson['config'] {
  return record?.context_size === undefined ? {} : { 'context-size': record.context_size };
}

function recordOf(record: RequestJson): EngineRecordJson {
  const { error, request_headers: headers } = record;
  const userAgent = headers['user-agent'];
  return {
    id: `${groupOf(record)}_${record.id}`,
    model: record.model,
    method: record.method,
    url: record.path,
    request: record.request_body.text,
    ...(error ? { error: JSON.stringify({ error }) } : { response: responseOf(record) }),
    timestamp: Math.floor(record.started_ms / 1000),
    status_code: record.status_code ?? 0,
    ...(userAgent !== undefined && { user_agent: userAgent }),
  };
}

/** A stream is told as the one completion that it amounts to. */
function responseOf(record: RequestJson): string {
  if (record.frames.length === 0) return record.response_body.text;
  const { answer, reasoning, usage, finish_reason: reason } = record;
  return JSON.stringify({
    object: 'chat.completion',
    model: record.model,
    created: Math.floor(record.started_ms / 1000),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.text,
          ...(reasoning && { reasoning_content: reasoning.text }),
        },
        finish_reason: reason ?? null,
      },
    ],
    ...(usage && { usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens } }),
  });
}

function groupOf({ model_id: id, model }: RequestRowJson): string {
  return id ?? model;
}

function grouped<T extends RequestRowJson>(rows: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(groupOf(row));
    if (group) group.push(row);
    else groups.set(groupOf(row), [row]);
  }
  return groups;
}
