/** GET /openapi.json: what all of these endpoints take and answer, made from the schemas that check it. */
import { describeApi } from '#lib/runner/openapi/document.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Route } from '#lib/runner/router.ts';
import { json } from './respond.ts';

export interface OpenApiPorts {
  /** All the others of the router. */
  readonly routes: readonly Route[];
  readonly library: Pick<Library, 'list'>;
  readonly version: string;
}

/** Where nothing is stored yet. */
const anyModel = 'ai/smollm2';

export function openApiRoutes({ routes, library, version }: OpenApiPorts): readonly Route[] {
  const own: Route = {
    method: 'GET',
    pattern: '/openapi.json',
    handle: async ({ url }) => {
      const [first] = await library.list();
      const model = first?.tags[0] ?? first?.id ?? anyModel;
      return json(describeApi([...routes, own], { version, origin: url.origin, model }));
    },
  };
  return [own];
}
