/** Our own paths to the request records: list, detail, live feed, settings, replay, export and import. */
import { parseFilter, wholeNumber, type Criteria } from '#lib/runner/recorder/filter.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import { settingsPatch } from '#lib/runner/recorder/settings.ts';
import type { Library } from '#lib/runner/library/library.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { parseBody } from './body.ts';
import { engineRequestRoutes } from './engine-requests.ts';
import { withModelId } from './request-criteria.ts';
import { requestEvents } from './request-events.ts';
import { exportRequests, importRequests } from './request-files.ts';
import { replay } from './request-replay.ts';
import { json } from './respond.ts';

export interface RequestPorts {
  readonly recorder: Recorder;
  readonly library: Pick<Library, 'getLenient'>;
  /** The runner itself: a replay is a request like any other. */
  readonly send: (request: Request) => Promise<Response>;
  readonly version: string;
}

const defaultLimit = 100;
const maxLimit = 1000;
const path = '/_sampan/requests';

export function requestRoutes(ports: RequestPorts): readonly Route[] {
  const { recorder } = ports;
  return [
    ...engineRequestRoutes(ports),
    { method: 'GET', pattern: path, handle: (call) => list(call, ports) },
    { method: 'DELETE', pattern: path, handle: (call) => clear(call, ports) },
    {
      method: 'GET',
      pattern: `${path}/events`,
      handle: async (call) => requestEvents(call, recorder, await criteria(call, ports)),
    },
    { method: 'GET', pattern: `${path}/settings`, handle: () => json(recorder.settings) },
    {
      method: 'PUT',
      pattern: `${path}/settings`,
      handle: async (call) => json(await recorder.configure(parseBody(settingsPatch, await call.json()))),
    },
    {
      method: 'GET',
      pattern: `${path}/export`,
      handle: async (call) => exportRequests(call, ports, await criteria(call, ports)),
    },
    {
      method: 'POST',
      pattern: `${path}/import`,
      handle: async (call) => json(await importRequests(call, recorder)),
    },
    { method: 'POST', pattern: `${path}/*/replay`, handle: (call) => replay(call, ports) },
    { method: 'GET', pattern: `${path}/*`, handle: async ({ rest }) => json(await recorder.get(rest)) },
  ];
}

async function list(call: Call, ports: RequestPorts): Promise<Response> {
  const query = call.url.searchParams;
  const limit = Math.min(maxLimit, wholeNumber(query, 'limit') ?? defaultLimit);
  const before = query.get('before') ?? undefined;
  return json(await ports.recorder.page(await criteria(call, ports), { limit, before }));
}

/** Takes the same filter as the list; without one everything goes. */
async function clear(call: Call, ports: RequestPorts): Promise<Response> {
  return json({ removed: await ports.recorder.clear(await criteria(call, ports)) });
}

async function criteria({ url }: Call, { library }: RequestPorts): Promise<Criteria> {
  return withModelId(parseFilter(url.searchParams), library);
}
