/** The daemon: a pure function from `Request` to `Response` over its ports. */
import { systemClock, type Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { Engine } from '#lib/engine/port.ts';
import { Signal } from '#lib/core/observable.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { BlobStore, ModelIndex, ModelSettingsStore } from '#lib/store/port.ts';
import { inForce } from './configure/in-force.ts';
import { ModelSettings } from './configure/settings.ts';
import { archiveRoutes } from './endpoints/archives.ts';
import { chatCompletions } from './endpoints/chat.ts';
import { configureRoutes } from './endpoints/configure.ts';
import { engineRoutes, residents } from './endpoints/engines.ts';
import { modelRoutes } from './endpoints/models.ts';
import { openAiModelRoutes } from './endpoints/openai-models.ts';
import { json } from './endpoints/respond.ts';
import { sampanModelRoutes } from './endpoints/sampan-models.ts';
import { sampanRoutes } from './endpoints/sampan.ts';
import { Feed } from './feed.ts';
import { Janitor } from './library/janitor.ts';
import { Library } from './library/library.ts';
import { describeAll } from './library/local.ts';
import { Pins } from './library/pins.ts';
import { Uploads } from './library/uploads.ts';
import { modelRequest } from './model-request.ts';
import type { Network } from './pulls/network.ts';
import { Pulls, type PullRecords } from './pulls/pulls.ts';
import { Router } from './router.ts';
import { Scheduler } from './scheduler.ts';

export interface RunnerOptions {
  readonly version: string;
  readonly store: BlobStore;
  readonly index: ModelIndex;
  readonly registry: Registry;
  readonly engines: readonly Engine[];
  readonly pullRecords: PullRecords;
  readonly modelSettings: ModelSettingsStore;
  readonly network: Network;
  readonly parallelPulls: { load(): Promise<number | undefined>; save(parallel: number): Promise<void> };
  readonly status: () => Promise<StatusJson>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly keepAliveMs?: number;
  /** Unexpected failures, for the log. Never sees a prompt. */
  readonly onError?: (thrown: unknown) => void;
}

export class Runner {
  readonly #router: Router;
  readonly #scheduler: Scheduler;
  readonly #pulls: Pulls;
  readonly #onError: (thrown: unknown) => void;

  readonly #parallelPulls: RunnerOptions['parallelPulls'];

  constructor(options: RunnerOptions) {
    const { version, store, index, registry, engines, network, pullRecords, parallelPulls, status } = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    this.#onError = options.onError ?? (() => undefined);
    const pins = new Pins();
    const library = new Library(index, store);
    const settings = new ModelSettings(options.modelSettings);
    const uploads = new Uploads(store, pins);
    const scheduler = new Scheduler({
      engines,
      clock,
      ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
    });
    const janitor: Janitor = new Janitor({
      library,
      store,
      pins,
      clock,
      alsoNeeded: () => pulls.needs(),
      unload: (id) => scheduler.free(id),
    });
    const drop = (digests: readonly Digest[]) => janitor.drop(digests);
    const inherit = (from: Digest, to: Digest) => settings.inherit(from, to);
    const pulls = new Pulls(
      { registry, store, library, pins, clock, random, network, drop, inherit },
      pullRecords,
    );
    const stored = new Signal();
    library.changed.subscribe(() => stored.notify());
    const packager = { library, store, uploads, clock };
    const models = { library, store, registry, settings, pins, clock, janitor, packager, inherit };
    const feed = new Feed({
      clock,
      status,
      onError: this.#onError,
      sources: {
        status: { changed: [stored], read: status },
        models: { changed: [stored], read: () => describeAll({ library, store }) },
        pulls: { changed: [pulls.changed], read: () => pulls.toJson() },
        runners: { changed: [scheduler.changed], read: () => residents(scheduler) },
      },
    });
    this.#pulls = pulls;
    this.#scheduler = scheduler;
    this.#parallelPulls = parallelPulls;
    this.#router = new Router([
      { method: 'GET', pattern: '/version', handle: () => json({ version }) },
      {
        method: 'POST',
        pattern: '/engines/v1/chat/completions',
        handle: (call) => chatCompletions(call, { library, settings, scheduler, clock }),
      },
      ...openAiModelRoutes(library),
      ...archiveRoutes({ library, store, pins, clock, drop }),
      ...modelRoutes({ ...models, pulls }),
      ...configureRoutes({ library, settings }),
      ...engineRoutes({ engines, library, scheduler }),
      ...sampanModelRoutes({
        ...models,
        uploads,
        repair: {
          library,
          store,
          fetchAgain: (reference, expected) => {
            const pull = pulls.request(reference, { expected });
            pulls.keep(pull);
            return pull.id;
          },
        },
        load: async (model, signal) => {
          const wanted = modelRequest(library, model, await settings.get(model.id));
          (await scheduler.acquire(wanted, signal)).release();
        },
        inForce: async (model) =>
          inForce(scheduler, modelRequest(library, model, await settings.get(model.id))),
      }),
      ...sampanRoutes({ pulls, feed, saveParallel: (parallel) => parallelPulls.save(parallel) }),
    ]);
  }

  /** Takes up what an earlier session left unfinished. */
  async start(): Promise<void> {
    const parallel = await this.#parallelPulls.load();
    if (parallel !== undefined) this.#pulls.setParallel(parallel);
    await this.#pulls.restore();
  }

  /** Never rejects: every failure is a response. */
  readonly handle = async (request: Request): Promise<Response> => {
    try {
      return await this.#router.handle(request);
    } catch (thrown) {
      const error = toApiError(thrown);
      if (error.code === 'internal') this.#onError(thrown);
      return error.toResponse();
    }
  };

  async close(): Promise<void> {
    await this.#pulls.close();
    await this.#scheduler.close();
  }
}
