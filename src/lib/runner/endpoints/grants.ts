/** What the user has decided about pages of other origins: listed for everybody, changed by our own pages alone. */
import { ApiError } from '#lib/core/errors.ts';
import { originEntry } from '#lib/core/origin.ts';
import { requireOwnPage } from '#lib/runner/access/access.ts';
import type { Grants } from '#lib/runner/access/grants.ts';
import { grantWish } from '#lib/runner/access/parse.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { parseBody } from './body.ts';
import { json } from './respond.ts';

const pattern = '/_sampan/grants';

export function grantRoutes(grants: Grants): readonly Route[] {
  return [
    { method: 'GET', pattern, handle: () => json(grants.list()) },
    { method: 'PUT', pattern, handle: (call) => keep(call, grants) },
    { method: 'DELETE', pattern, handle: (call) => revoke(call, grants) },
  ];
}

async function keep(call: Call, grants: Grants): Promise<Response> {
  requireOwnPage(call.request);
  return json(await grants.keep(parseBody(grantWish, await call.json())));
}

async function revoke({ request, url }: Call, grants: Grants): Promise<Response> {
  requireOwnPage(request);
  const origin = url.searchParams.get('origin');
  if (origin === null) {
    throw new ApiError('invalid_request', 'The query must name the “origin”.', { param: 'origin' });
  }
  await grants.revoke(originEntry(origin));
  return new Response(null, { status: 204 });
}
