/** OpenAPI 3.1 of all that the router answers. A route that nobody has described stands in it too, and says so. */
import type { Route } from '#lib/runner/router.ts';
import { describeOperation, pathOf, type PathOperation } from './describe.ts';
import type { OperationGroup } from './operation.ts';
import { access } from './operations/access.ts';
import { engines } from './operations/engines.ts';
import { models } from './operations/models.ts';
import { openAi } from './operations/openai.ts';
import { records } from './operations/records.ts';
import { sampanModels } from './operations/sampan-models.ts';
import { sampan } from './operations/sampan.ts';
import { namedSchemas } from './schemas.ts';

const groups: readonly OperationGroup[] = [openAi, models, engines, records, sampanModels, sampan, access];

type RouteName = Pick<Route, 'method' | 'pattern'>;

export interface ApiFacts {
  readonly version: string;
  /** Of the page or the companion that was asked. */
  readonly origin: string;
  /** A model for the examples. */
  readonly model: string;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, PathOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

export function describeApi(
  routes: readonly RouteName[],
  { version, origin, model }: ApiFacts,
): OpenApiDocument {
  const described = describedOperations(routes, model);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sampan',
      version,
      description:
        'Docker Model Runner inside a browser tab. `{ref}` is a name, an id, or its first 12 digits; slashes in it may be written as they are or as `%2F`. Paths under `/engines/v1` are also there under `/v1`, `/engines/llama.cpp/v1` and `/engines/webllm/v1`, `/engines/_configure` under both engines; each operation lists its other paths in `x-aliases`.',
    },
    servers: [{ url: origin }],
    tags: groups.map(({ tag, description }) => ({ name: tag, description })),
    paths: byPath([...described, ...undescribed(routes)]),
    components: { schemas: namedSchemas() },
  };
}

interface Placed {
  readonly path: string;
  readonly method: Route['method'];
  readonly operation: PathOperation;
}

function describedOperations(routes: readonly RouteName[], model: string): readonly Placed[] {
  const there = new Set(routes.map(keyOf));
  return groups.flatMap(({ tag, operations }) =>
    operations.flatMap((operation) => {
      const { method, path, pattern } = pathOf(operation.on);
      if (!there.has(keyOf({ method, pattern }))) return [];
      return [{ path, method, operation: describeOperation(operation, { tag, model }) }];
    }),
  );
}

function undescribed(routes: readonly RouteName[]): readonly Placed[] {
  const known = new Set(
    groups.flatMap(({ operations }) =>
      operations.flatMap(({ on, also = [] }) => {
        const { method, pattern } = pathOf(on);
        return [pattern, ...also].map((each) => keyOf({ method, pattern: each }));
      }),
    ),
  );
  return routes
    .filter((route) => !known.has(keyOf(route)))
    .map(({ method, pattern }) => ({
      path: pattern.replace('*', '{rest}'),
      method,
      operation: describeOperation(
        {
          on: `${method} ${pathPattern(pattern)}`,
          id: keyOf({ method, pattern }),
          summary: 'Not described yet',
          answer: { status: 200, description: 'Not described yet.' },
        },
        { tag: 'Not described', model: '' },
      ),
    }));
}

function pathPattern(pattern: string): `/${string}` {
  return `/${pattern.slice(1).replace('*', '{rest}')}`;
}

function keyOf({ method, pattern }: RouteName): string {
  return `${method} ${pattern}`;
}

function byPath(all: readonly Placed[]): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, PathOperation>> = {};
  for (const { path, method, operation } of all) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  return paths;
}
