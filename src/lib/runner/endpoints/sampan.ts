/** Our own paths: the feed that draws every page, and the control of pulls. */
import * as v from 'valibot';
import { AsyncQueue } from '#lib/core/async-queue.ts';
import { ApiError } from '#lib/core/errors.ts';
import { parseReference } from '#lib/model/reference.ts';
import type { PullJson } from '#lib/model/wire.ts';
import { sseEvent, sseHeaders } from '#lib/openai/sse.ts';
import type { Feed } from '#lib/runner/feed.ts';
import type { Pulls } from '#lib/runner/pulls/pulls.ts';
import type { PullWishes } from '#lib/runner/pulls/pull.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import { credentials } from './body.ts';
import { json, streamed } from './respond.ts';

export interface SampanPorts {
  readonly pulls: Pulls;
  readonly feed: Feed;
}

export const pullBody = v.object({ from: v.string(), credentials: v.optional(credentials) });

export function sampanRoutes({ pulls, feed }: SampanPorts): readonly Route[] {
  return [
    { method: 'GET', pattern: '/_sampan/events', handle: (call) => events(call, feed) },
    { method: 'GET', pattern: '/_sampan/status', handle: async () => json(await feed.status()) },
    {
      method: 'GET',
      pattern: '/_sampan/pulls',
      handle: () => json(pulls.toJson()),
    },
    { method: 'POST', pattern: '/_sampan/pulls', handle: (call) => startPull(call, pulls) },
    {
      method: 'POST',
      pattern: '/_sampan/pulls/*/pause',
      handle: async ({ rest }) => {
        await pulls.pause(rest);
        return json(pulls.get(rest).toJson());
      },
    },
    {
      method: 'POST',
      pattern: '/_sampan/pulls/*/resume',
      handle: ({ rest }) => json(resume(pulls, rest), 202),
    },
    {
      method: 'POST',
      pattern: '/_sampan/pulls/*/anyway',
      handle: ({ rest }) => json(resume(pulls, rest, { anyway: true }), 202),
    },
    {
      method: 'POST',
      pattern: '/_sampan/pulls/*/first',
      handle: ({ rest }) => {
        pulls.first(rest);
        return json(pulls.get(rest).toJson());
      },
    },
    {
      method: 'DELETE',
      pattern: '/_sampan/pulls/*',
      handle: async ({ rest }) => {
        await pulls.cancel(rest);
        return new Response(null, { status: 204 });
      },
    },
  ];
}

function resume(pulls: Pulls, id: string, wishes: PullWishes = {}): PullJson {
  const pull = pulls.request(pulls.get(id).reference, wishes);
  pulls.keep(pull);
  return pull.toJson();
}

/** The pull belongs to the runner: it goes on when the page that asked is closed. */
async function startPull(call: Call, pulls: Pulls): Promise<Response> {
  const parsed = v.safeParse(pullBody, await call.json());
  if (!parsed.success)
    throw new ApiError('invalid_request', '“from” must name the model to pull.', { param: 'from' });
  const { from, credentials: given } = parsed.output;
  const pull = pulls.request(parseReference(from), given && { credentials: given });
  pulls.keep(pull);
  return json(pull.toJson(), 202);
}

function events({ request }: Call, feed: Feed): Response {
  const queue = new AsyncQueue<Uint8Array<ArrayBuffer>>(() => stop());
  const stop = feed.follow((name, value) => queue.push(sseEvent(name, value)));
  request.signal.addEventListener('abort', () => void queue.return(), { once: true });
  return streamed(queue, { headers: sseHeaders, onCancel: () => undefined });
}
