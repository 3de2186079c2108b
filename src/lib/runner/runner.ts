/** The daemon: a pure function from `Request` to `Response` over its ports. */
import { systemClock, type Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { Engine, EngineName } from '#lib/engine/port.ts';
import type { Signal } from '#lib/core/observable.ts';
import type { LogLineJson } from '#lib/model/wire-requests.ts';
import type { StatusJson } from '#lib/model/wire.ts';
import type { Registry } from '#lib/registry/port.ts';
import type { BlobStore, ModelIndex, ModelSettingsStore } from '#lib/store/port.ts';
import { guarded } from './access/access.ts';
import { Grants } from './access/grants.ts';
import type { GrantStore } from './access/port.ts';
import { inForce } from './configure/in-force.ts';
import { ModelSettings } from './configure/settings.ts';
import type { BenchHistory } from './bench/port.ts';
import { benchModels } from './bench/models.ts';
import { archiveRoutes } from './endpoints/archives.ts';
import { benchRoutes } from './endpoints/bench.ts';
import { configureRoutes } from './endpoints/configure.ts';
import { engineRoutes } from './endpoints/engines.ts';
import { gateRoutes } from './endpoints/gate.ts';
import { generationRoutes } from './endpoints/generation-routes.ts';
import { grantRoutes } from './endpoints/grants.ts';
import { logRoutes } from './endpoints/logs.ts';
import { metricsRoutes } from './endpoints/metrics.ts';
import { modelRoutes } from './endpoints/models.ts';
import { openApiRoutes } from './endpoints/openapi.ts';
import { openAiModelRoutes } from './endpoints/openai-models.ts';
import { requestRoutes } from './endpoints/requests.ts';
import { json } from './endpoints/respond.ts';
import { sampanModelRoutes } from './endpoints/sampan-models.ts';
import { sampanRoutes } from './endpoints/sampan.ts';
import { settingsRoutes } from './endpoints/settings.ts';
import { selfTestRoutes } from './endpoints/self-test.ts';
import { tokenizeRoutes } from './endpoints/tokenize.ts';
import { ModelInsights } from './library/insight.ts';
import { Janitor } from './library/janitor.ts';
import { Library } from './library/library.ts';
import { Pins } from './library/pins.ts';
import { Tokenizers } from './library/tokenizers.ts';
import { Uploads } from './library/uploads.ts';
import { Log, type EngineLine } from './log/log.ts';
import type { LogStore } from './log/port.ts';
import { logRequests } from './log/request-lines.ts';
import { fitOf, modelRequest, type ModelRequestPorts } from './model-request.ts';
import { MemoryPreferencesStore, Preferences } from './preferences/preferences.ts';
import { meansOf, noLadder, rungWords, type AskLadder } from './preferences/rung.ts';
import type { Network } from './pulls/network.ts';
import { Pulls, type PullRecords } from './pulls/pulls.ts';
import type { RequestSettingsStore, RequestStore } from './recorder/port.ts';
import { Recorder } from './recorder/recorder.ts';
import { Router, type Route } from './router.ts';
import { followRunner } from './runner-feed.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { SelfTest, type SelfTestPorts } from './self-test/self-test.ts';

export interface RunnerOptions {
  readonly version: string;
  readonly store: BlobStore;
  readonly index: ModelIndex;
  readonly registry: Registry;
  readonly engines: readonly Engine[];
  readonly pullRecords: PullRecords;
  readonly modelSettings: ModelSettingsStore;
  readonly network: Network;
  readonly requests: RequestStore;
  readonly requestSettings: RequestSettingsStore;
  readonly logLines: LogStore;
  /** Settings for all models; forgotten with the runner when absent. */
  readonly preferences?: Preferences;
  /** What models are computed on; engines compute wherever they like when absent. */
  readonly ladder?: AskLadder;
  readonly status: () => Promise<StatusJson>;
  /** What `status` tells has changed outside of the runner. */
  readonly statusChanged?: Signal;
  readonly benchHistory: BenchHistory;
  readonly grants: GrantStore;
  readonly gateHistory: BenchHistory;
  readonly machine: ModelRequestPorts['machine'];
  readonly selfTest: Pick<SelfTestPorts, 'model' | 'probe' | 'results'>;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Memory for models; unknown when absent. */
  readonly memoryBudgetBytes?: () => number;
  /** Bytes on disk of the engines themselves. */
  readonly engineBytes: () => Promise<number>;
  /** Unexpected failures in full, for the browser's console; the log gets their class and place only. */
  readonly onError?: (thrown: unknown) => void;
  /** Every line of the log. */
  readonly echo?: (line: LogLineJson) => void;
}

export class Runner {
  /** Whom of the pages of other origins the user lets in; the companion wants to know too. */
  readonly grants: Grants;
  readonly #router: Router;
  readonly #scheduler: Scheduler;
  readonly #pulls: Pulls;
  readonly #recorder: Recorder;
  readonly #log: Log;
  readonly #version: string;
  readonly #onError: (thrown: unknown) => void;
  readonly #preferences: Preferences;
  readonly #ladder: AskLadder;

  constructor(options: RunnerOptions) {
    const { version, store, index, registry, engines, network, pullRecords, status } = options;
    const { preferences = new Preferences(new MemoryPreferencesStore()), ladder = noLadder } = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    const log = new Log({
      clock,
      store: options.logLines,
      answering: () => scheduler.residents.some(({ state }) => state === 'busy'),
      ...(options.echo && { echo: options.echo }),
    });
    const onError = (thrown: unknown) => {
      log.failure('runner', thrown);
      options.onError?.(thrown);
    };
    const recorder = new Recorder({
      store: options.requests,
      settings: options.requestSettings,
      clock,
      random,
      onError,
    });
    logRequests(recorder, log);
    this.#version = version;
    this.#recorder = recorder;
    this.#log = log;
    this.#onError = onError;
    const pins = new Pins();
    const library = new Library(index, store);
    const settings = new ModelSettings(options.modelSettings);
    const grants = new Grants({ store: options.grants, clock, onError });
    this.grants = grants;
    const defaults = async () => ({
      contextSize: preferences.current.context_size ?? undefined,
      means: await meansOf(ladder, preferences.current),
    });
    const loads = { library, insights: new ModelInsights(library), machine: options.machine, defaults };
    const uploads = new Uploads(store, pins);
    const scheduler: Scheduler = new Scheduler({
      engines,
      clock,
      onError,
      keepAliveMs: () => preferences.keepAliveMs,
      ...(options.memoryBudgetBytes && { memoryBudgetBytes: options.memoryBudgetBytes }),
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
    const packager = { library, store, uploads, registry, clock };
    preferences.changed.subscribe(() => pulls.setParallel(preferences.current.parallel_pulls));
    const models = { library, store, registry, settings, pins, clock, janitor, packager, inherit };
    const { statusChanged } = options;
    const parts = { log, library, store, pulls, scheduler, preferences };
    const feed = followRunner({ ...parts, status, statusChanged, clock, onError });
    this.#pulls = pulls;
    this.#scheduler = scheduler;
    this.#preferences = preferences;
    this.#ladder = ladder;
    const measured = benchModels({
      ...loads,
      engines,
      settings,
      scheduler,
      adapter: async () => (await status()).gpu?.name,
    });
    const routes: readonly Route[] = [
      ...grantRoutes(grants),
      { method: 'GET', pattern: '/version', handle: () => json({ version }) },
      ...generationRoutes({ ...loads, settings, scheduler, clock, recorder, onError }),
      ...requestRoutes({ recorder, library, send: this.handle, version }),
      ...selfTestRoutes(new SelfTest({ ...options.selfTest, engines, clock })),
      ...benchRoutes({ models: measured, history: options.benchHistory, clock, version }),
      ...gateRoutes({ ...loads, models: measured, history: options.gateHistory, clock, version }),
      ...tokenizeRoutes({ library, tokenizers: new Tokenizers(library) }),
      ...logRoutes(log),
      ...metricsRoutes({ recorder, scheduler }),
      ...openAiModelRoutes(library),
      ...archiveRoutes({ library, store, pins, clock, drop }),
      ...modelRoutes({ ...models, pulls }),
      ...configureRoutes({ library, settings }),
      ...engineRoutes({ engines, library, store, scheduler, engineBytes: options.engineBytes }),
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
          const asked = await settings.get(model.id);
          const wanted = await modelRequest(loads, model, asked, asked.mode);
          (await scheduler.acquire(wanted, signal)).release();
        },
        inForce: async (model) => {
          const asked = await settings.get(model.id);
          return inForce(scheduler, await modelRequest(loads, model, asked, asked.mode));
        },
        insight: async (model) => ({
          capabilities: (await loads.insights.of(model))?.capabilities,
          fit: await fitOf(loads, model, await settings.get(model.id)),
        }),
      }),
      ...sampanRoutes({ pulls, feed }),
      ...settingsRoutes({
        preferences,
        ladder,
        status: options.status,
        scheduler,
        onMeans: () => this.#logRung('settings changed'),
      }),
    ];
    const all = [...routes, ...openApiRoutes({ routes, library, version })];
    this.#router = new Router(guarded(all, { grants, library }));
  }

  /** Takes up what an earlier session left unfinished. */
  async start(): Promise<void> {
    await this.#log.start();
    await this.#preferences.load();
    await this.#logRung('the runner started');
    await this.#recorder.start();
    await this.grants.start();
    await this.#pulls.restore();
  }

  async #logRung(message: 'the runner started' | 'settings changed'): Promise<void> {
    const { compute, cpu_build: build } = this.#preferences.current;
    const device = rungWords(await this.#ladder(compute));
    const fields = { version: this.#version, device, ...(build !== 'auto' && { cpu_build: build }) };
    this.#log.write('info', 'runner', message, fields);
  }

  /** A line of an engine's own log. */
  engineLine(name: EngineName, line: EngineLine): void {
    this.#log.engine(name, line);
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
    await this.#recorder.close();
    await this.grants.close();
    this.#log.write('info', 'runner', 'the runner stops');
    await this.#log.close();
  }
}
