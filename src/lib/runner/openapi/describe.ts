/** One operation as OpenAPI has it. */
import { ApiError, type ErrorCode } from '#lib/core/errors.ts';
import type { Route } from '#lib/runner/router.ts';
import { errorBody } from './answers/common.ts';
import type { Answer, Body, Media, MediaByType, Operation, Parameter, PlainSchema } from './operation.ts';
import { referTo, type Reference } from './schemas.ts';

export interface PathOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly DescribedParameter[];
  readonly requestBody?: DescribedBody;
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
  /** The same under other paths. */
  readonly 'x-aliases'?: readonly string[];
}

interface DescribedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: PlainSchema;
}

interface DescribedBody {
  readonly required: boolean;
  readonly content: Content;
}

interface DescribedAnswer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}

type Content = Readonly<Record<string, DescribedMedia>>;

interface DescribedMedia {
  readonly schema: PlainSchema | Reference;
  readonly example?: unknown;
  /** What each line holds, or the data of each event by name; the body as a whole is a text. */
  readonly 'x-line'?: Reference;
  readonly 'x-events'?: Readonly<Record<string, Reference>>;
}

interface Place {
  readonly tag: string;
  readonly model: string;
}

export function describeOperation(operation: Operation, { tag, model }: Place): PathOperation {
  const { id, summary, description, body, answer, other } = operation;
  const parameters = parametersOf(operation);
  const aliases = aliasesOf(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body && { requestBody: describeBody(body, model) }),
    responses: {
      ...success(answer, model),
      ...(other && success(other, model)),
      ...refusals(codesOf(operation)),
    },
    ...(aliases.length === 0 ? {} : { 'x-aliases': aliases }),
  };
}

/** `GET /models/{ref}` is the router's `GET` on `/models/*`. */
export function pathOf(on: Operation['on']): { method: Route['method']; path: string; pattern: string } {
  const [method = '', path = ''] = on.split(' ');
  // The template type of `on` says so; splitting forgets it.
  return { method: method as Route['method'], path, pattern: path.replace(/\{\w+\}/, '*') };
}

function parametersOf({ on, query = [], headers = [] }: Operation): readonly DescribedParameter[] {
  const [, name] = /\{(\w+)\}/.exec(on) ?? [];
  const inPath = name === undefined ? [] : [pathParameter(name)];
  return [
    ...inPath.map((each) => describeParameter(each, 'path')),
    ...query.map((each) => describeParameter(each, 'query')),
    ...headers.map((each) => describeParameter(each, 'header')),
  ];
}

function pathParameter(name: string): Parameter {
  const description = name === 'ref' ? 'A name or an id of a model.' : 'As a list has it.';
  return { name, description, need: 'required', schema: { type: 'string', minLength: 1 } };
}

function describeParameter(
  { name, description, schema, need }: Parameter,
  place: DescribedParameter['in'],
): DescribedParameter {
  return { name, in: place, required: need === 'required', description, schema };
}

function describeBody({ need, media }: Body, model: string): DescribedBody {
  return { required: need === 'required', content: contentOf(media, model) };
}

function success({ status, description, media }: Answer, model: string): PathOperation['responses'] {
  return { [status]: { description, ...(media && { content: contentOf(media, model) }) } };
}

function contentOf(media: MediaByType, model: string): Content {
  return Object.fromEntries(Object.entries(media).map(([type, each]) => [type, describeMedia(each, model)]));
}

function describeMedia(media: Media, model: string): DescribedMedia {
  switch (media.is) {
    case 'value':
      return {
        schema: referTo(media.schema),
        ...(media.example && { example: media.example(model) }),
      };
    case 'list':
      return { schema: { type: 'array', items: referTo(media.of) } };
    case 'lines':
      return { schema: { type: 'string' }, 'x-line': referTo(media.of) };
    case 'events':
      // Tools differ in whether they hold it against the text of the stream or against each event.
      return { schema: { description: 'Server-sent events.' }, 'x-events': mapped(media.of) };
    case 'text':
      return { schema: { type: 'string' } };
    case 'bytes':
      // OpenAPI 3.1: raw bytes have no schema.
      return { schema: {} };
  }
}

function mapped(schemas: Extract<Media, { is: 'events' }>['of']): Readonly<Record<string, Reference>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, referTo(schema)]));
}

/** What a request may meet wherever it goes: a foreign page, a tab that is not there, a fault of ours. */
const anywhere: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden_origin',
  'internal',
  'no_host',
  'host_lost',
  'host_stalled',
];

function codesOf({ body, errors = [] }: Operation): readonly ErrorCode[] {
  return [...new Set([...anywhere, ...(body ? (['request_too_large'] as const) : []), ...errors])];
}

function refusals(codes: readonly ErrorCode[]): PathOperation['responses'] {
  const statusOf = (code: ErrorCode) => new ApiError(code, '').status;
  const statuses = [...new Set(codes.map(statusOf))];
  return Object.fromEntries(
    statuses.map((status) => [status, refusal(codes.filter((code) => statusOf(code) === status))]),
  );
}

function refusal(codes: readonly ErrorCode[]): DescribedAnswer {
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    headers: { 'x-should-retry': { schema: { type: 'boolean' } } },
    content: { 'application/json': { schema: referTo(errorBody) } },
  };
}

const engineNames = ['llama.cpp', 'webllm'];

/** The router folds these into the path that it knows. */
function aliasesOf({ on, also = [] }: Operation): readonly string[] {
  const { path } = pathOf(on);
  const [, rest] = /^\/engines(\/v1\/.*|\/_configure)$/.exec(path) ?? [];
  if (rest === undefined) return also;
  const folded = engineNames.map((engine) => `/engines/${engine}${rest}`);
  return [...(rest.startsWith('/v1') ? [rest] : []), ...folded, ...also];
}
