/** A whole runner on memory twins, with a registry and an engine that a test scripts. */
import { ManualClock, type Clock } from '#lib/core/clock.ts';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { ScriptedEngine, type ScriptedOptions } from '#lib/engine/scripted.ts';
import { Signal } from '#lib/core/observable.ts';
import type { Machine } from '#lib/model/fit/judge.ts';
import { mediaTypes, parseManifest, type Descriptor } from '#lib/model/manifest.ts';
import type { Reference } from '#lib/model/reference.ts';
import type {
  ByteRange,
  LayerBody,
  PushableModel,
  PushOptions,
  Registry,
  ResolvedModel,
  ResolveOptions,
} from '#lib/registry/port.ts';
import { MemoryBlobStore } from '#lib/store/memory/blob-store.ts';
import { MemoryLogLines } from '#lib/store/memory/log-lines.ts';
import { MemoryModelIndex } from '#lib/store/memory/model-index.ts';
import { MemoryRequests } from '#lib/store/memory/requests.ts';
import type { Network } from '#lib/runner/pulls/network.ts';
import { MemoryModelSettings } from '#lib/store/memory/model-settings.ts';
import type { PullRecord, PullRecords } from '#lib/runner/pulls/pulls.ts';
import { MemoryPreferencesStore, Preferences } from '#lib/runner/preferences/preferences.ts';
import type { AskLadder } from '#lib/runner/preferences/rung.ts';
import { Runner } from '#lib/runner/runner.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Models by `registry/repository:tag`, served from memory, with faults on demand. */
export class ScriptedRegistry implements Registry {
  readonly models = new Map<
    string,
    { manifestBytes: Bytes; configBytes: Bytes; blobs: ReadonlyMap<Digest, Bytes> }
  >();
  /** Every range that was asked for. */
  readonly asked: ByteRange[] = [];
  /** Awaited before a model is looked up; may throw. */
  beforeResolve: () => Promise<void> = () => Promise.resolve();
  /** Awaited before a layer is served; may throw. */
  beforeFetch: (range: ByteRange, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Changes what a range answers. */
  serve: (bytes: Bytes, range: ByteRange) => LayerBody = (bytes, range) => ({
    from: range.from,
    stream: streamOf(bytes.slice(range.from, range.to)),
  });

  async resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel> {
    options.signal?.throwIfAborted();
    await this.beforeResolve();
    const name = `${reference.registry}/${reference.repository}:${reference.tag}`;
    const model = this.models.get(name);
    if (!model) throw new ApiError('model_not_found', `${name} does not exist.`);
    const document = parseManifest(model.manifestBytes);
    if (document.kind === 'index') throw new Error('not scripted');
    return {
      reference,
      id: await sha256(model.manifestBytes),
      manifest: document.manifest,
      manifestBytes: model.manifestBytes,
      configBytes: model.configBytes,
      fetchLayer: (layer, range, signal) => this.#fetch(model.blobs, layer, range, signal),
    };
  }

  /** What was pushed, by name. */
  readonly pushed = new Map<string, PushableModel>();
  /** Awaited before a push; may throw. */
  beforePush: (options: PushOptions) => Promise<void> = () => Promise.resolve();

  async push(reference: Reference, model: PushableModel, options: PushOptions): Promise<void> {
    await this.beforePush(options);
    for (const layer of model.manifest.layers) {
      await model.open(layer.digest);
      options.onProgress?.(layer, layer.size);
    }
    this.pushed.set(`${reference.registry}/${reference.repository}:${reference.tag}`, model);
  }

  async #fetch(
    blobs: ReadonlyMap<Digest, Bytes>,
    layer: Descriptor,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<LayerBody> {
    this.asked.push(range);
    await this.beforeFetch(range, signal);
    signal.throwIfAborted();
    const bytes = blobs.get(layer.digest);
    if (!bytes) throw new ApiError('model_not_found', 'The layer does not exist.');
    return this.serve(bytes, range);
  }

  /** Publishes a Docker v0.1 model of these layers; `claimed` puts a false digest on the first. */
  async publish(
    name: string,
    layers: readonly Bytes[],
    claimed?: Digest,
    facts: { readonly architecture?: string } = {},
  ): Promise<void> {
    const blobs = new Map<Digest, Bytes>();
    const descriptors: Descriptor[] = [];
    for (const [index, bytes] of layers.entries()) {
      const digest = index === 0 && claimed !== undefined ? claimed : await sha256(bytes);
      blobs.set(digest, bytes);
      descriptors.push({ mediaType: mediaTypes.gguf, digest, size: bytes.byteLength });
    }
    const configBytes = encode({
      config: {
        format: 'gguf',
        quantization: 'F32',
        parameters: '1',
        architecture: 'llama',
        size: '1B',
        context_size: 64,
        ...facts,
      },
      descriptor: { created: '2026-01-01T00:00:00Z' },
      rootfs: { type: 'rootfs', diff_ids: descriptors.map((layer) => layer.digest) },
    });
    const config = {
      mediaType: mediaTypes.configV01,
      digest: await sha256(configBytes),
      size: configBytes.byteLength,
    };
    const manifestBytes = encode({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: descriptors,
    });
    this.models.set(name, { manifestBytes, configBytes, blobs });
  }
}

export class MemoryPullRecords implements PullRecords {
  records: unknown;

  load(): Promise<unknown> {
    return Promise.resolve(this.records);
  }

  save(records: readonly PullRecord[]): Promise<void> {
    this.records = structuredClone(records);
    return Promise.resolve();
  }
}

export class ScriptedNetwork implements Network {
  readonly changed = new Signal();
  online = true;

  go(online: boolean): void {
    this.online = online;
    this.changed.notify();
  }
}

export class MemoryRequestSettings {
  saved: unknown;

  load(): Promise<unknown> {
    return Promise.resolve(this.saved);
  }

  save(settings: unknown): Promise<void> {
    this.saved = structuredClone(settings);
    return Promise.resolve();
  }
}

export interface Bench {
  readonly runner: Runner;
  readonly registry: ScriptedRegistry;
  readonly engine: ScriptedEngine;
  readonly store: MemoryBlobStore;
  readonly index: MemoryModelIndex;
  readonly records: MemoryPullRecords;
  readonly settings: MemoryModelSettings;
  readonly network: ScriptedNetwork;
  readonly preferencesStore: MemoryPreferencesStore;
  readonly requests: MemoryRequests;
  readonly logLines: MemoryLogLines;
  readonly clock: ManualClock;
  readonly failures: unknown[];
  /** Sends a request as a page would; a body makes it a POST. */
  call(path: string, body?: unknown, init?: RequestInit): Promise<Response>;
}

export interface BenchOptions extends ScriptedOptions {
  readonly memoryBudgetBytes?: () => number;
  readonly machine?: Machine;
  readonly store?: MemoryBlobStore;
  readonly index?: MemoryModelIndex;
  readonly records?: MemoryPullRecords;
  readonly settings?: MemoryModelSettings;
  readonly preferencesStore?: MemoryPreferencesStore;
  readonly ladder?: AskLadder;
}

export function makeBench(options: BenchOptions = {}): Bench {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const parts = {
    clock,
    registry: new ScriptedRegistry(),
    engine: new ScriptedEngine(options),
    store: options.store ?? makeStore(clock),
    index: options.index ?? new MemoryModelIndex(),
    records: options.records ?? new MemoryPullRecords(),
    settings: options.settings ?? new MemoryModelSettings(),
    network: new ScriptedNetwork(),
    preferencesStore: options.preferencesStore ?? new MemoryPreferencesStore(),
    requests: new MemoryRequests(),
    requestSettings: new MemoryRequestSettings(),
    logLines: new MemoryLogLines(),
    failures: [] as unknown[],
  };
  const runner = new Runner({
    ...parts,
    engines: [parts.engine],
    version: '0.0.0-test',
    engineBytes: () => Promise.resolve(7),
    benchHistory: new MemoryRequestSettings(),
    grants: new MemoryRequestSettings(),
    gateHistory: new MemoryRequestSettings(),
    machine: () => Promise.resolve(options.machine ?? { device: 'cpu', wasmHeapBytes: 4 * 2 ** 30 }),
    ...(options.memoryBudgetBytes && { memoryBudgetBytes: options.memoryBudgetBytes }),
    pullRecords: parts.records,
    modelSettings: parts.settings,
    network: parts.network,
    preferences: new Preferences(parts.preferencesStore),
    ...(options.ladder && { ladder: options.ladder }),
    random: () => 0.5,
    onError: (thrown) => parts.failures.push(thrown),
    selfTest: {
      model: () => Promise.reject(new Error('not scripted')),
      probe: () => Promise.reject(new Error('not scripted')),
      results: new MemoryRequestSettings(),
    },
    status: () =>
      Promise.resolve({
        version: '0.0.0-test',
        isolated: true,
        threads: 2,
        gpu: null,
        compute: {
          rung: 'wasm',
          pinned: false,
          rungs: [{ rung: 'wasm', available: true }],
          wasm_build: 'scripted',
          wasm_builds: [],
        },
        storage: { used_bytes: 1, quota_bytes: 2, persisted: false },
        relay: false,
      }),
  });
  const call = (path: string, body?: unknown, init: RequestInit = {}) =>
    runner.handle(
      new Request(`http://localhost${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...init,
      }),
    );
  return { ...parts, runner, call };
}

/** Segments of 16 bytes, so that a short text has many. */
export function makeStore(clock: Clock): MemoryBlobStore {
  return new MemoryBlobStore({ segmentBytes: 16, clock });
}

export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** A text comes in many chunks, a file in few. */
export function streamOf(
  bytes: Bytes,
  chunkBytes = bytes.byteLength < 4096 ? 7 : 65_536,
): ReadableStream<Bytes> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= bytes.byteLength) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.slice(offset, offset + chunkBytes));
      offset += chunkBytes;
    },
  });
}

function encode(value: unknown): Bytes {
  return bytesOf(JSON.stringify(value));
}
