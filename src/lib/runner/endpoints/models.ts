/** Docker Model Runner's management of models: list, inspect, pull, tag, push, repackage, delete, purge. */
import * as v from 'valibot';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { describeModel } from '#lib/model/facts.ts';
import { canonicalReference, parseReference, type Reference } from '#lib/model/reference.ts';
import { unreadFields } from '#lib/openai/parse.ts';
import type { Janitor } from '#lib/runner/library/janitor.ts';
import type { Library } from '#lib/runner/library/library.ts';
import { makeModel, type PackagerPorts } from '#lib/runner/library/packager.ts';
import { progressLines } from '#lib/runner/pulls/progress.ts';
import type { Pulls } from '#lib/runner/pulls/pulls.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { Registry } from '#lib/registry/port.ts';
import { warningOf, withHeaders } from './answer.ts';
import { credentialsOf, parseBody, signIn } from './body.ts';
import { encoded, progressFormat } from './lines.ts';
import { push, type PushPorts } from './push.ts';
import { json, jsonText, streamed } from './respond.ts';

export interface ModelPorts extends PushPorts {
  readonly library: Library;
  readonly janitor: Janitor;
  readonly registry: Registry;
  readonly pulls: Pulls;
  readonly packager: PackagerPorts;
  /** A model that another was made of keeps its settings. */
  readonly inherit: (from: Digest, to: Digest) => Promise<void>;
}

export const createBody = v.object({ from: v.string(), ...signIn.entries });
export const repackageBody = v.object({
  target: v.pipe(v.string(), v.minLength(1)),
  context_size: v.optional(v.number()),
});

export function modelRoutes(ports: ModelPorts): readonly Route[] {
  const { library, janitor, pulls } = ports;
  return [
    {
      method: 'GET',
      pattern: '/models',
      handle: async () => {
        const models = (await library.list()).map((model) => library.describeAsText(model));
        return jsonText(`[${models.join(',')}]`);
      },
    },
    { method: 'POST', pattern: '/models/create', handle: (call) => create(call, pulls) },
    {
      method: 'DELETE',
      pattern: '/models/purge',
      handle: async () => {
        await janitor.purge();
        return new Response(null);
      },
    },
    { method: 'POST', pattern: '/models/*/tag', handle: (call) => tag(call, library) },
    { method: 'POST', pattern: '/models/*/push', handle: (call) => push(call, ports) },
    { method: 'POST', pattern: '/models/*/repackage', handle: (call) => repackage(call, ports) },
    { method: 'GET', pattern: '/models/*', handle: (call) => inspect(call, ports) },
    {
      method: 'DELETE',
      pattern: '/models/*',
      handle: async (call) => json(await janitor.delete(call.rest, { force: call.flag('force') })),
    },
  ];
}

async function create(call: Call, pulls: Pulls): Promise<Response> {
  const body = await call.json();
  const parsed = v.safeParse(createBody, body);
  if (!parsed.success)
    throw new ApiError('invalid_request', '“from” must name the model to pull.', { param: 'from' });
  const pull = pulls.request(parseReference(parsed.output.from), {
    credentials: credentialsOf(parsed.output),
  });
  const left = new AbortController();
  const signal = AbortSignal.any([call.request.signal, left.signal]);
  const lines = progressLines(pull, { signal, onLeave: pulls.watch(pull) });
  // The first line decides the status: what fails before any progress is an HTTP error.
  const first = await lines.next();
  const format = progressFormat(call);
  return streamed(encoded(first, lines, format), {
    headers: {
      'content-type': format.contentType,
      'cache-control': 'no-cache',
      ...warningOf(unreadFields(body, createBody)),
    },
    onCancel: () => left.abort(),
  });
}

async function inspect(call: Call, { library, registry }: ModelPorts): Promise<Response> {
  if (!call.flag('remote')) return json(library.describe(await library.getLenient(call.rest)));
  const { signal } = call.request;
  const remote = await registry.resolve(parseReference(call.rest), { signal });
  const { tags: _, ...model } = describeModel({
    id: remote.id,
    tags: [],
    manifest: remote.manifestBytes,
    config: remote.configBytes,
  });
  return json(model);
}

async function tag(call: Call, library: Library): Promise<Response> {
  const repository = call.url.searchParams.get('repo') ?? '';
  const name = call.url.searchParams.get('tag') ?? '';
  if (repository === '' || name === '') {
    throw new ApiError('invalid_request', 'The query must name “repo” and “tag”.', {
      param: repository === '' ? 'repo' : 'tag',
    });
  }
  const target = `${repository}:${name}`;
  const reference = tagOnly(parseReference(target), target);
  const model = await library.getLenient(call.rest);
  await library.tag(model.id, canonicalReference(reference));
  return json({ message: `Model tagged successfully with "${target}"`, target }, 201);
}

async function repackage(call: Call, { library, packager, inherit }: ModelPorts): Promise<Response> {
  const body = await call.json();
  const { target, context_size: contextSize } = parseBody(repackageBody, body);
  const base = await library.getLenient(call.rest);
  const format = library.partsOf(base).artifact.packaging === 'modelpack' ? 'cncf' : 'docker';
  const made = await makeModel(
    { target, from: base.id, format, ...(contextSize === undefined ? {} : { context_size: contextSize }) },
    packager,
  );
  await inherit(base.id, made.id);
  const told = { message: `Model repackaged successfully as "${target}"`, source: call.rest, target };
  return withHeaders(json(told, 201), warningOf(unreadFields(body, repackageBody)));
}

function tagOnly(reference: Reference, typed: string): Reference {
  if (reference.digest === undefined) return reference;
  throw new ApiError('invalid_reference', `“${typed}” is a digest, and a tag is needed.`, { param: 'tag' });
}
