/** Records of requests, and a runner that keeps them, for tests. */
import type { RequestJson, RequestPageJson, RequestRowJson } from '#lib/model/wire-requests.ts';
import type { Client } from '#lib/state/client.ts';
import { json, ScriptedStream } from './scripted-client.ts';

/** `n` is its place in time: later ones are newer. */
export function idOf(n: number): string {
  return `req_${String(n).padStart(8, '0')}`;
}

export const startMs = Date.UTC(2026, 10, 24, 12);

export function rowSample(n: number, changes: Partial<RequestRowJson> = {}): RequestRowJson {
  return {
    id: idOf(n),
    version: 1,
    state: 'done',
    mode: 'chat',
    path: '/v1/chat/completions',
    source: { kind: 'page' },
    model: 'ai/qwen3:1.7B-Q4_K_M',
    engine: 'llama.cpp',
    prompt: `Question ${n}`,
    started_ms: startMs + n * 1000,
    status_code: 200,
    finish_reason: 'stop',
    timing: {
      queue_ms: 38,
      load_ms: 0,
      prefill_ms: 374,
      decode_ms: 6258,
      first_token_ms: 412,
      duration_ms: 6670,
      tokens_per_second: 28.1,
    },
    usage: { prompt_tokens: 2526, cached_tokens: 2448, completion_tokens: 176 },
    context_size: 8192,
    size_bytes: 4200,
    ...changes,
  };
}

export function recordSample(n: number, changes: Partial<RequestJson> = {}): RequestJson {
  const body = {
    model: 'ai/qwen3:1.7B-Q4_K_M',
    stream: true,
    temperature: 0.6,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: `Question ${n}` },
    ],
  };
  return {
    ...rowSample(n),
    method: 'POST',
    request_headers: { 'content-type': 'application/json' },
    request_body: { text: JSON.stringify(body) },
    parameters: { stream: true, temperature: 0.6 },
    parameters_in_force: { temperature: 0.6, context_size: 8192 },
    rendered_prompt: { text: `<|im_start|>user\nQuestion ${n}<|im_end|>` },
    response_headers: { 'content-type': 'text/event-stream' },
    answer: { text: `Answer ${n}` },
    response_body: { text: 'data: {"a":1}\n\ndata: [DONE]\n\n' },
    pieces: [
      { at_ms: 412, type: 'text', text: 'Answer' },
      { at_ms: 447, type: 'text', text: ` ${n}` },
    ],
    frames: [
      { at_ms: 412, text: 'data: {"a":1}\n\n' },
      { at_ms: 450, text: 'data: [DONE]\n\n' },
    ],
    device: 'WebGPU',
    ...changes,
  };
}

/** Answers the paths of the recorder from `rows`; events are written by hand on the newest of `streams`. */
export class ScriptedRecorder implements Client {
  readonly sent: { readonly method: string; readonly url: URL; readonly body: unknown }[] = [];
  readonly streams: ScriptedStream[] = [];
  rows: readonly RequestRowJson[] = [];
  records = new Map<string, RequestJson>();
  settings = { recording: true, max_count: 10_000, max_bytes: 256 * 1024 * 1024 };
  /** Answers in place of the recorder when it returns anything. */
  instead: (method: string, url: URL) => Response | Promise<Response> | undefined = () => undefined;

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const method = init.method ?? 'GET';
    const url = new URL(path, 'http://runner.test');
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : (init.body ?? undefined);
    this.sent.push({ method, url, body });
    return Promise.resolve(this.instead(method, url) ?? this.#answer(method, url, init, body));
  }

  get stream(): ScriptedStream | undefined {
    return this.streams.at(-1);
  }

  /** Paths with their queries, of one method. */
  paths(method: string): readonly string[] {
    return this.sent.filter((call) => call.method === method).map(({ url }) => url.pathname + url.search);
  }

  #answer(method: string, url: URL, { signal }: RequestInit, body: unknown): Response {
    const rest = url.pathname.replace('/_sampan/requests', '').slice(1);
    if (rest === 'events') {
      const stream = new ScriptedStream(signal ?? undefined);
      this.streams.push(stream);
      return stream.response;
    }
    if (rest === 'settings') {
      this.settings = { ...this.settings, ...(body as object | undefined) };
      return json(this.settings);
    }
    if (rest === '' && method === 'DELETE') return json({ removed: this.rows.length });
    if (rest === '') return json(this.#page(url.searchParams));
    const record = this.records.get(rest);
    if (record) return json(record);
    const error = { message: 'There is no record of this request.', code: 'route_not_found', param: null };
    return json({ error: { ...error, type: 'invalid_request_error' } }, 404);
  }

  #page(query: URLSearchParams): RequestPageJson {
    const before = query.get('before');
    const limit = Number(query.get('limit') ?? 100);
    const matching = this.rows.filter(({ id }) => before === null || id < before);
    const requests = matching.slice(0, limit);
    const next = matching.length > limit ? requests.at(-1)?.id : undefined;
    const kept = { count: this.rows.length, bytes: this.rows.length * 4200 };
    return { requests, total: this.rows.length, kept, ...(next !== undefined && { next }) };
  }
}
