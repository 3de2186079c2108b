/** The endpoints of `/openapi.json` as a page shows them. */

export interface EndpointParameter {
  readonly name: string;
  readonly place: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required: boolean;
}

export interface Endpoint {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly EndpointParameter[];
  readonly aliases: readonly string[];
  /** An example of a JSON body; absent where none is taken. */
  readonly body?: string;
  readonly answers: readonly { readonly status: string; readonly description: string }[];
}

/** What is read of the document. */
interface DocumentJson {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
}

interface OperationJson {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: EndpointParameter['place'];
    readonly description: string;
    readonly required: boolean;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly 'x-aliases'?: readonly string[];
}

export function endpointsOf(document: unknown): readonly Endpoint[] {
  // The boundary: the runner is this same build, so the path settles the shape.
  const { paths } = document as DocumentJson;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => endpointOf(method, path, operation)),
  );
}

function endpointOf(method: string, path: string, operation: OperationJson): Endpoint {
  const example = operation.requestBody?.content['application/json']?.example;
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    tag: operation.tags[0] ?? '',
    summary: operation.summary,
    description: operation.description ?? '',
    parameters: (operation.parameters ?? []).map(({ in: place, ...rest }) => ({ ...rest, place })),
    aliases: operation['x-aliases'] ?? [],
    ...(example === undefined ? {} : { body: JSON.stringify(example, undefined, 2) }),
    answers: Object.entries(operation.responses).map(([status, { description }]) => ({
      status,
      description,
    })),
  };
}

/** Every word must stand somewhere in the endpoint. */
export function matching(endpoints: readonly Endpoint[], query: string): readonly Endpoint[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return endpoints.filter((endpoint) => {
    const text = textOf(endpoint);
    return words.every((word) => text.includes(word));
  });
}

function textOf({ method, path, tag, summary, description, parameters, aliases }: Endpoint): string {
  const names = parameters.map(({ name }) => name);
  return [method, path, tag, summary, description, ...names, ...aliases].join(' ').toLowerCase();
}

/** What can be tried with a body of text, and does no more than ask, load or pull. */
export function isTryable({ method, body }: Endpoint): boolean {
  return method === 'GET' || (method === 'POST' && body !== undefined);
}
