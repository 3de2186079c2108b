/** Our own view of the stored models: what the Models page shows and does, for any client. */
import * as v from 'valibot';
import type { Digest } from '#lib/core/digest.ts';
import type { ApiError } from '#lib/core/errors.ts';
import type { RepairJson, UploadJson } from '#lib/model/wire.ts';
import type { Clock } from '#lib/core/clock.ts';
import {
  describeMetadata,
  describeModelInFull,
  describeRemote,
  type DetailPorts,
} from '#lib/runner/library/detail.ts';
import type { Janitor } from '#lib/runner/library/janitor.ts';
import { describeAll, describeLocal } from '#lib/runner/library/local.ts';
import { makeModel, type PackagerPorts } from '#lib/runner/library/packager.ts';
import { repairModel, type RepairPorts } from '#lib/runner/library/repair.ts';
import type { Uploads } from '#lib/runner/library/uploads.ts';
import { parseSettings } from '#lib/runner/configure/settings.ts';
import type { Call, Route } from '#lib/runner/router.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import { digest, parseBody } from './body.ts';
import { lineResponse, plainLines } from './lines.ts';
import { json } from './respond.ts';

export interface SampanModelPorts extends DetailPorts {
  readonly janitor: Janitor;
  readonly packager: PackagerPorts;
  readonly uploads: Uploads;
  readonly repair: RepairPorts;
  readonly clock: Clock;
  /** Resolves when the model is loaded with its settings. */
  readonly load: (model: IndexedModel, signal: AbortSignal) => Promise<void>;
  readonly inherit: (from: Digest, to: Digest) => Promise<void>;
}

const file = v.object({ digest, name: v.pipe(v.string(), v.minLength(1)) });

export const packageBody = v.strictObject({
  target: v.pipe(v.string(), v.minLength(1)),
  format: v.picklist(['docker', 'cncf']),
  from: v.optional(v.string()),
  weights: v.optional(v.array(file)),
  chat_template: v.optional(v.nullable(file)),
  projector: v.optional(v.nullable(file)),
  licenses: v.optional(v.array(file)),
  files: v.optional(v.array(v.object({ digest, path: v.pipe(v.string(), v.minLength(1)) }))),
  library_from: v.optional(v.pipe(v.string(), v.minLength(1))),
  context_size: v.optional(v.number()),
  created_ms: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

export function sampanModelRoutes(ports: SampanModelPorts): readonly Route[] {
  const { library, settings, janitor } = ports;
  return [
    { method: 'GET', pattern: '/_sampan/models', handle: async () => json(await describeAll(ports)) },
    { method: 'POST', pattern: '/_sampan/blobs', handle: (call) => upload(call, ports) },
    { method: 'POST', pattern: '/_sampan/package', handle: (call) => pack(call, ports) },
    { method: 'POST', pattern: '/_sampan/prune', handle: async () => json(await janitor.prune()) },
    {
      method: 'GET',
      pattern: '/_sampan/models/*/metadata',
      handle: async ({ rest }) => json(await describeMetadata(await library.getLenient(rest), ports)),
    },
    {
      method: 'GET',
      pattern: '/_sampan/models/*/settings',
      handle: async ({ rest }) => json(await settings.get((await library.getLenient(rest)).id)),
    },
    {
      method: 'PUT',
      pattern: '/_sampan/models/*/settings',
      handle: async (call) => {
        const { id } = await library.getLenient(call.rest);
        const wanted = parseSettings(await call.json());
        await settings.put(id, wanted);
        return json(wanted);
      },
    },
    {
      method: 'POST',
      pattern: '/_sampan/models/*/load',
      handle: async (call) => {
        await ports.load(await library.getLenient(call.rest), call.request.signal);
        return new Response(null, { status: 204 });
      },
    },
    { method: 'POST', pattern: '/_sampan/models/*/repair', handle: (call) => repair(call, ports) },
    {
      method: 'POST',
      pattern: '/_sampan/models/*/restore',
      handle: async ({ rest }) => json(await describeLocal(await janitor.restore(rest), ports)),
    },
    { method: 'GET', pattern: '/_sampan/models/*', handle: (call) => inspect(call, ports) },
    {
      method: 'DELETE',
      pattern: '/_sampan/models/*',
      handle: async ({ rest }) => json({ id: await janitor.discard(rest) }),
    },
  ];
}

async function inspect(call: Call, ports: SampanModelPorts): Promise<Response> {
  if (call.flag('remote')) return json(await describeRemote(call.rest, ports, call.request.signal));
  return json(await describeModelInFull(await ports.library.getLenient(call.rest), ports));
}

async function pack(call: Call, ports: SampanModelPorts): Promise<Response> {
  const wanted = withoutAbsent(parseBody(packageBody, await call.json()));
  const model = await makeModel(wanted, ports.packager, call.request.signal);
  if (wanted.from !== undefined)
    await ports.inherit((await ports.library.getLenient(wanted.from)).id, model.id);
  return json(await describeLocal(model, ports), 201);
}

/** Optional keys of a schema may be `undefined`; on the wire they are there or they are not. */
function withoutAbsent<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

async function upload(call: Call, { uploads, clock }: SampanModelPorts): Promise<Response> {
  const bytes = await call.request.blob();
  const wantsLines = call.request.headers.get('accept') === plainLines.contentType;
  if (!wantsLines) {
    return json(await uploads.add(bytes, { signal: call.request.signal, onProgress: () => undefined }), 201);
  }
  return lineResponse<UploadJson>(call, plainLines, {
    failed: (error) => ({ type: 'error', error: error.toJSON().error }),
    run: async (tell, signal) => {
      const onProgress = atIntervals(clock, (done: number, total: number) =>
        tell({ type: 'progress', done_bytes: done, total_bytes: total }),
      );
      tell({ type: 'stored', ...(await uploads.add(bytes, { signal, onProgress })) });
    },
  });
}

async function repair(call: Call, ports: SampanModelPorts): Promise<Response> {
  const model = await ports.library.getLenient(call.rest);
  return lineResponse<RepairJson>(call, plainLines, {
    failed: (error: ApiError) => ({ type: 'error', error: error.toJSON().error }),
    run: async (tell, signal) => {
      const progress = atIntervals(ports.clock, tell);
      await repairModel(model, ports.repair, {
        signal,
        tell: (line) => (line.type === 'progress' ? progress(line) : tell(line)),
      });
    },
  });
}

const intervalMs = 100;

/** Drops calls that follow each other too quickly: a reader that is slow must not pile up progress. */
function atIntervals<A extends readonly unknown[]>(
  clock: Clock,
  call: (...values: A) => void,
): (...values: A) => void {
  let lastMs = -Infinity;
  return (...values) => {
    if (clock.now() - lastMs < intervalMs) return;
    lastMs = clock.now();
    call(...values);
  };
}
