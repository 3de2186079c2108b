/** The daemon: a pure function from `Request` to `Response` over its ports. */
import { systemClock, type Clock } from '#lib/core/clock.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { Engine } from '#lib/engine/port.ts';
import { Signal } from '#lib/core/observable.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { BlobStore, ModelIndex } from '#lib/store/port.ts';
import { chatCompletions } from './endpoints/chat.ts';
import { engineRoutes, residents } from './endpoints/engines.ts';
import { modelRoutes } from './endpoints/models.ts';
import { openAiModelRoutes } from './endpoints/openai-models.ts';
import { json } from './endpoints/respond.ts';
import { sampanRoutes } from './endpoints/sampan.ts';
import { Feed } from './feed.ts';
import { Library } from './library.ts';
import { Pulls, type PullRecords } from './pulls/pulls.ts';
import { Router } from './router.ts';
import { Scheduler } from './scheduler.ts';

export interface RunnerOptions {
  readonly version: string;
  readonly store: BlobStore;
  readonly index: ModelIndex;
  readonly registry: Registry;
  readonly engine: Engine;
  readonly pullRecords: PullRecords;
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

  constructor(options: RunnerOptions) {
    const { version, store, index, registry, engine, pullRecords, status } = options;
    const clock = options.clock ?? systemClock;
    this.#onError = options.onError ?? (() => undefined);
    const library = new Library(index, store);
    const ports = { registry, store, index, clock, random: options.random ?? Math.random };
    const pulls = new Pulls(ports, pullRecords);
    const scheduler = new Scheduler({
      engine,
      clock,
      ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
    });
    const stored = new Signal();
    library.changed.subscribe(() => stored.notify());
    pulls.stored.subscribe(() => stored.notify());
    const feed = new Feed({
      clock,
      status,
      onError: this.#onError,
      sources: {
        status: { changed: [stored], read: status },
        models: { changed: [stored], read: () => library.list() },
        pulls: { changed: [pulls.changed], read: () => pulls.list().map((pull) => pull.toJson()) },
        runners: { changed: [scheduler.changed], read: () => residents(engine, scheduler) },
      },
    });
    this.#pulls = pulls;
    this.#scheduler = scheduler;
    this.#router = new Router([
      { method: 'GET', pattern: '/version', handle: () => json({ version }) },
      {
        method: 'POST',
        pattern: '/engines/v1/chat/completions',
        handle: (call) => chatCompletions(call, { library, scheduler, clock }),
      },
      ...openAiModelRoutes(library),
      ...modelRoutes({ library, pulls, scheduler }),
      ...engineRoutes({ engine, library, scheduler }),
      ...sampanRoutes({ pulls, feed }),
    ]);
  }

  /** Takes up what an earlier session left unfinished. */
  async start(): Promise<void> {
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
