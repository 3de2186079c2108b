/** Docker Model Runner's management of models: list, inspect, pull, delete. */
import * as v from 'valibot';
import { ApiError } from '#lib/core/errors.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { Library } from '#lib/runner/library.ts';
import { progressLines } from '#lib/runner/pulls/progress.ts';
import type { Pulls } from '#lib/runner/pulls/pulls.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Scheduler } from '#lib/runner/scheduler.ts';
import { json, streamed } from './respond.ts';

export interface ModelPorts {
  readonly library: Library;
  readonly pulls: Pulls;
  readonly scheduler: Scheduler;
}

const createBody = v.object({
  from: v.string(),
  'bearer-token': v.optional(v.string()),
});

export function modelRoutes({ library, pulls, scheduler }: ModelPorts): readonly Route[] {
  return [
    { method: 'GET', pattern: '/models', handle: async () => json(await library.list()) },
    { method: 'POST', pattern: '/models/create', handle: (call) => create(call, pulls) },
    {
      method: 'GET',
      pattern: '/models/*',
      handle: async ({ rest }) => json(library.describe(await library.getLenient(rest))),
    },
    {
      method: 'DELETE',
      pattern: '/models/*',
      handle: async (call) => json(await remove(call, library, scheduler)),
    },
  ];
}

async function create(call: Call, pulls: Pulls): Promise<Response> {
  const parsed = v.safeParse(createBody, await call.json());
  if (!parsed.success)
    throw new ApiError('invalid_request', '“from” must name the model to pull.', { param: 'from' });
  const { from, 'bearer-token': token } = parsed.output;
  const reference = parseReference(from);
  const pull = pulls.request(reference, token === undefined ? undefined : { kind: 'token', token });
  const left = new AbortController();
  const signal = AbortSignal.any([call.request.signal, left.signal]);
  const lines = progressLines(pull, { signal, onLeave: pulls.watch(pull) });
  // The first line decides the status: what fails before any progress is an HTTP error.
  const first = await lines.next();
  const encode = lineEncoder(call.request.headers.get('accept'));
  return streamed(encoded(first, lines, encode), {
    headers: { 'content-type': encode.contentType, 'cache-control': 'no-cache' },
    onCancel: () => left.abort(),
  });
}

async function* encoded<T>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void, undefined>,
  encode: LineEncoder,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    for (let result = first; !result.done; result = await rest.next()) yield encode(result.value);
  } finally {
    await rest.return();
  }
}

interface LineEncoder {
  (line: unknown): Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** Docker Model Runner escapes HTML in its text form, and its clients unescape it. */
function lineEncoder(accept: string | null): LineEncoder {
  const encoder = new TextEncoder();
  if (accept === 'application/json') {
    return Object.assign((line: unknown) => encoder.encode(`${JSON.stringify(line)}\n`), {
      contentType: 'application/json',
    });
  }
  return Object.assign((line: unknown) => encoder.encode(`${escapeHtml(JSON.stringify(line))}\n`), {
    contentType: 'text/plain; charset=utf-8',
  });
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

/** A model in use is not pulled from under its request. */
async function remove(call: Call, library: Library, scheduler: Scheduler): Promise<unknown> {
  const model = await library.get(call.rest);
  const resident = scheduler.resident;
  if (resident?.request.id === model.id) {
    if (resident.state !== 'idle') {
      throw new ApiError(
        'conflict',
        'This model is answering a request. Stop it first, then delete the model.',
      );
    }
    await scheduler.unload(new Set([model.id]));
  }
  return library.delete(call.rest, { force: call.flag('force') });
}
