/**
 * Stands before every route: a page of another origin gets as far as the user allowed. What it was not allowed it is
 * refused before any work, and it learns nothing of models that are not for it. The user's own pages and programs pass.
 */
import { ApiError } from '#lib/core/errors.ts';
import type { GrantJson } from '#lib/model/wire-access.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { askerOf, type Asker, type ModelScope } from './asker.ts';
import { capabilityOf } from './capability.ts';
import type { Grants } from './grants.ts';
import { withoutOthers } from './model-list.ts';
import { namesInBody } from './named-models.ts';

export interface AccessPorts {
  readonly grants: Grants;
  readonly library: Pick<Library, 'getLenient'>;
}

type Site = Extract<Asker, { kind: 'site' }>;

/** The same routes, each behind the question who asks. */
export function guarded(routes: readonly Route[], ports: AccessPorts): readonly Route[] {
  return routes.map((route) => ({
    ...route,
    handle: (call) => {
      const asker = askerOf(call.request);
      return asker.kind === 'site' ? admit(asker, route, call, ports) : route.handle(call);
    },
  }));
}

/** Throws `forbidden_origin` for everybody but the app's own pages: no page and no program may let itself in. */
export function requireOwnPage({ headers }: Pick<Request, 'headers'>): void {
  const source = headers.get('x-sampan-source');
  if (source === 'page' || source === 'tab') return;
  throw new ApiError('forbidden_origin', 'Only Sampan’s own pages may change this. Open its settings.');
}

async function admit(site: Site, route: Route, call: Call, ports: AccessPorts): Promise<Response> {
  const grant = ports.grants.of(site.origin);
  if (grant?.decision === 'never') throw refused('Sampan’s user refused this page’s origin.');
  // Without a word of the user the companion's own list has let it in, to everything, as Docker Model Runner's does.
  if (!grant && site.carrier === 'companion') return route.handle(call);
  const scope = grant?.models ?? site.once;
  if (scope === undefined)
    throw refused('This page’s origin may not use Sampan. Allow it in Sampan’s settings.');
  return answerWithin(scope, grant, route, call, ports);
}

async function answerWithin(
  scope: ModelScope,
  grant: GrantJson | undefined,
  route: Route,
  call: Call,
  ports: AccessPorts,
): Promise<Response> {
  const capability = capabilityOf(route);
  if (!capability || (capability === 'describe' && call.flag('remote'))) {
    throw refused('A page of another origin may ask models and list them, and nothing else.');
  }
  if (capability === 'describe') await requireModels([call.rest], scope, ports);
  if (capability === 'ask' && scope !== 'all') await requireModels(await namesInBody(call), scope, ports);
  if (grant) ports.grants.count(grant);
  const answer = await route.handle(call);
  return capability === 'list' && scope !== 'all' ? withoutOthers(answer, within(scope, ports)) : answer;
}

/** A name that is unknown is refused like one that is not granted: the difference is none of the page's business. */
async function requireModels(names: readonly string[], scope: ModelScope, ports: AccessPorts): Promise<void> {
  if (scope === 'all') return;
  const asked = await Promise.all(names.map(within(scope, ports)));
  if (asked.length > 0 && asked.every((isGranted) => isGranted)) return;
  throw refused('This page’s origin may not use this model. Allow it in Sampan’s settings.');
}

/** Whether a name, however it is written, is one of the scope's models. */
function within(scope: readonly string[], ports: AccessPorts): (name: string) => Promise<boolean> {
  const granted = Promise.all(scope.map((name) => idOf(name, ports)));
  return async (name) => {
    const id = await idOf(name, ports);
    return id !== undefined && (await granted).includes(id);
  };
}

async function idOf(name: string, { library }: AccessPorts): Promise<string | undefined> {
  try {
    return (await library.getLenient(name)).id;
  } catch (thrown) {
    if (thrown instanceof ApiError) return undefined;
    throw thrown;
  }
}

function refused(message: string): ApiError {
  return new ApiError('forbidden_origin', message);
}
