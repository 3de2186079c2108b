/** How an endpoint is described: what it takes, what it answers, and with which codes it refuses. */
import type * as v from 'valibot';
import type { ErrorCode } from '#lib/core/errors.ts';
import type { Route } from '#lib/runner/router.ts';

/** The operations that stand under one heading. */
export interface OperationGroup {
  readonly tag: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

export interface Operation {
  /** As the router has it, with a name for `*`: `GET /models/{ref}/export`. */
  readonly on: `${Route['method']} /${string}`;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: readonly Parameter[];
  readonly headers?: readonly Parameter[];
  readonly body?: Body;
  readonly answer: Answer;
  /** Where another status is as good. */
  readonly other?: Answer;
  /** Besides those that any request may meet. */
  readonly errors?: readonly ErrorCode[];
  /** Other paths that the router has for the same. */
  readonly also?: readonly string[];
}

export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly schema: PlainSchema;
  readonly need?: 'required';
}

export interface Body {
  readonly need: 'required' | 'optional';
  readonly media: MediaByType;
}

export interface Answer {
  readonly status: 200 | 201 | 202 | 204;
  readonly description: string;
  readonly media?: MediaByType;
}

/** By media type: which one comes is the client's to say, by its body or its `Accept`. */
export type MediaByType = Readonly<Record<string, Media>>;

export type Schema = v.GenericSchema;

/** A JSON Schema that is written by hand, for what no body schema validates. */
export type PlainSchema = Readonly<Record<string, unknown>>;

export type Media =
  | { readonly is: 'value'; readonly schema: Schema; readonly example?: Example }
  | { readonly is: 'list'; readonly of: Schema }
  /** One JSON text a line. */
  | { readonly is: 'lines'; readonly of: Schema }
  /** Server-sent events: what their data is, by name; `message` is an event without one. */
  | { readonly is: 'events'; readonly of: Readonly<Record<string, Schema>> }
  | { readonly is: 'text' }
  | { readonly is: 'bytes' };

/** For a model that the reader can ask. */
export type Example = (model: string) => unknown;

export function value(schema: Schema, example?: Example): MediaByType {
  return { 'application/json': { is: 'value', schema, ...(example && { example }) } };
}

export function list(of: Schema): MediaByType {
  return { 'application/json': { is: 'list', of } };
}

export function lines(of: Schema): MediaByType {
  return { 'application/x-ndjson': { is: 'lines', of } };
}

export function events(of: Readonly<Record<string, Schema>>): MediaByType {
  return { 'text/event-stream': { is: 'events', of } };
}

/** A body of JSON that must be there. */
export function json(schema: Schema, example: Example): Body {
  return { need: 'required', media: value(schema, example) };
}

export function flag(name: string, description: string): Parameter {
  return { name, description, schema: { type: 'boolean' } };
}

export function text(name: string, description: string, schema: PlainSchema = {}): Parameter {
  return { name, description, schema: { type: 'string', ...schema } };
}

export function count(name: string, description: string, schema: PlainSchema = {}): Parameter {
  return { name, description, schema: { type: 'integer', minimum: 0, ...schema } };
}
