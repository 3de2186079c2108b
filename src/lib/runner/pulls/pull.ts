/** One model on its way into the store: what state it is in, and the run that moves it. */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { ApiError, toApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { readArtifact, type Artifact } from '#lib/model/artifact.ts';
import type { Descriptor } from '#lib/model/manifest.ts';
import { canonicalReference, type Reference } from '#lib/model/reference.ts';
import type { PullJson } from '#lib/model/wire.ts';
import type { Credentials, Registry, ResolvedModel } from '#lib/registry/port.ts';
import { digestsOf, type Library } from '#lib/runner/library/library.ts';
import type { Pins } from '#lib/runner/library/pins.ts';
import type { BlobStore } from '#lib/store/port.ts';
import { downloadLayer } from './download.ts';
import type { Downloads } from './downloads.ts';
import type { Network } from './network.ts';
import { Speed } from './speed.ts';
import { unpackLayer } from './unpack.ts';

export interface PullPorts {
  readonly registry: Registry;
  readonly store: BlobStore;
  readonly library: Library;
  readonly pins: Pins;
  readonly downloads: Downloads;
  readonly clock: Clock;
  readonly random: () => number;
  readonly network: Network;
  /** A new version of a model starts with the settings of the one that had its name. */
  readonly inherit: (from: Digest, to: Digest) => Promise<void>;
}

/** What a caller asks of a pull besides the model. */
export interface PullWishes {
  readonly credentials?: Credentials | undefined;
  /** Stores the model although nothing here runs it. */
  readonly anyway?: boolean | undefined;
  /** Only this very model is wanted, whatever its name stands for by now. */
  readonly expected?: Digest | undefined;
}

type PullState =
  | {
      readonly status:
        'queued' | 'resolving' | 'pulling' | 'checking' | 'retrying' | 'offline' | 'unpacking' | 'paused';
    }
  | { readonly status: 'failed'; readonly error: ApiError }
  | { readonly status: 'done'; readonly modelId: Digest; readonly cached: boolean };

/** A layer by what is known of it before the manifest is read again. */
export interface PullLayer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

export class Pull {
  readonly id: string;
  readonly reference: Reference;
  /** Every change of state or progress. */
  readonly changed = new Signal();
  readonly #ports: PullPorts;
  readonly #speed: Speed;
  readonly #received = new Map<Digest, number>();
  #layers: readonly PullLayer[] = [];
  #state: PullState = { status: 'paused' };
  #run: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  #wishes: PullWishes = {};

  constructor(reference: Reference, ports: PullPorts) {
    this.id = canonicalReference(reference);
    this.reference = reference;
    this.#ports = ports;
    this.#speed = new Speed(ports.clock);
  }

  get state(): PullState {
    return this.#state;
  }

  get layers(): readonly PullLayer[] {
    return this.#layers;
  }

  get wishes(): PullWishes {
    return this.#wishes;
  }

  get active(): boolean {
    return !['paused', 'failed', 'done'].includes(this.#state.status);
  }

  receivedBytesOf(layer: PullLayer): number {
    return this.#received.get(layer.digest) ?? 0;
  }

  /** What an earlier session knew, so that a paused pull shows its size before it is resumed. */
  restore(layers: readonly PullLayer[], received: ReadonlyMap<Digest, number>, wishes: PullWishes): void {
    this.#layers = layers;
    this.#wishes = wishes;
    for (const [digest, bytes] of received) this.#received.set(digest, bytes);
  }

  /** Waits its turn; `start` begins. */
  enqueue(wishes: PullWishes = {}): void {
    this.#wishes = { ...this.#wishes, ...wishes };
    // What was whole then may be deleted by now; the download finds out what is there.
    if (this.#state.status === 'done') this.#received.clear();
    this.#set({ status: 'queued' });
  }

  /** Runs to an end state; never rejects. */
  start(): Promise<void> {
    const abort = new AbortController();
    const ended = this.#pull(abort.signal).catch((thrown: unknown) => this.#fail(thrown, abort.signal));
    this.#run = { abort, ended };
    return ended;
  }

  /** Stops and keeps what is on disk. */
  async pause(): Promise<void> {
    this.#run?.abort.abort();
    await this.#run?.ended;
    if (this.active) this.#set({ status: 'paused' });
  }

  /** `position` is its place among those that wait. */
  toJson(position?: number): PullJson {
    const state = this.#state;
    return {
      id: this.id,
      status: state.status,
      received_bytes: this.#layers.reduce((sum, layer) => sum + this.receivedBytesOf(layer), 0),
      total_bytes: this.#layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
      bytes_per_second: state.status === 'pulling' ? this.#speed.bytesPerSecond : 0,
      layers: this.#layers.map((layer) => ({
        digest: layer.digest,
        media_type: layer.mediaType,
        size_bytes: layer.sizeBytes,
        received_bytes: this.receivedBytesOf(layer),
      })),
      ...(state.status === 'failed' ? { error: state.error.toJSON().error } : {}),
      ...(state.status === 'done' ? { model_id: state.modelId } : {}),
      ...(position === undefined ? {} : { position }),
    };
  }

  async #pull(signal: AbortSignal): Promise<void> {
    this.#speed.reset();
    this.#set({ status: 'resolving' });
    const model = await this.#resolve(signal);
    const artifact = readArtifact(model.manifest, model.configBytes);
    // Said before a byte of weights is fetched.
    if (artifact.obstacle !== undefined && !this.#wishes.anyway)
      throw new ApiError('unsupported_model_format', artifact.obstacle);
    const release = this.#ports.pins.hold(digestsOf(artifact));
    try {
      await this.#store(model, artifact, signal);
    } finally {
      release();
    }
  }

  async #resolve(signal: AbortSignal): Promise<ResolvedModel> {
    const { registry } = this.#ports;
    const { credentials, expected } = this.#wishes;
    const isHub = this.reference.registry === 'huggingface.co';
    const asked = expected && !isHub ? { ...this.reference, digest: expected } : this.reference;
    const model = await registry.resolve(asked, { credentials, signal });
    if (expected === undefined || model.id === expected) return model;
    throw new ApiError(
      'model_not_found',
      'This model has changed at its source, so its damaged files are no longer there. Pull it anew.',
    );
  }

  async #store(model: ResolvedModel, artifact: Artifact, signal: AbortSignal): Promise<void> {
    this.#layers = uniqueLayers(model.manifest.layers);
    const cached = await this.#isStored(model, artifact);
    if (!cached) {
      for (const layer of this.#layers) await this.#download(model, layer, signal);
      await this.#unpack(artifact, signal);
    }
    await this.#record(model);
    this.#set({ status: 'done', modelId: model.id, cached });
  }

  async #download(model: ResolvedModel, layer: PullLayer, signal: AbortSignal): Promise<void> {
    this.#set({ status: 'pulling' });
    const { store, downloads, clock, random, network } = this.#ports;
    const descriptor: Descriptor = {
      digest: layer.digest,
      mediaType: layer.mediaType,
      size: layer.sizeBytes,
    };
    await downloads.fetch({
      digest: layer.digest,
      signal,
      onProgress: (receivedBytes) => this.#advance(layer, receivedBytes),
      isStored: async () => (await store.open(layer.digest)) !== undefined,
      run: (onProgress) =>
        downloadLayer(model, descriptor, {
          store,
          clock,
          random,
          network,
          signal,
          onProgress,
          onRetry: (waitingFor) => this.#set({ status: waitingFor === 'network' ? 'offline' : 'retrying' }),
          onVerify: () => this.#set({ status: 'checking' }),
        }),
    });
    // A follower of another pull's download may have joined after its last report.
    this.#advance(layer, layer.sizeBytes);
  }

  /** Engines read files in place, which compressed layers do not allow: they are kept unpacked besides. */
  async #unpack(artifact: Artifact, signal: AbortSignal): Promise<void> {
    for (const layer of artifact.layers) {
      if (layer.unpacked === undefined) continue;
      this.#set({ status: 'unpacking' });
      await unpackLayer(layer.descriptor.digest, layer.unpacked, { store: this.#ports.store, signal });
    }
  }

  #advance(layer: PullLayer, receivedBytes: number): void {
    this.#received.set(layer.digest, receivedBytes);
    this.#speed.mark(this.#layers.reduce((sum, each) => sum + this.receivedBytesOf(each), 0));
    this.#set({ status: 'pulling' });
  }

  async #isStored(model: ResolvedModel, artifact: Artifact): Promise<boolean> {
    const { library, store } = this.#ports;
    if (!(await library.list()).some(({ id }) => id === model.id)) return false;
    const blobs = await Promise.all(digestsOf(artifact).map((digest) => store.open(digest)));
    return blobs.every((blob) => blob !== undefined);
  }

  async #record(model: ResolvedModel): Promise<void> {
    const { library, clock, inherit } = this.#ports;
    const { id, manifestBytes: manifest, configBytes: config } = model;
    const before = (await library.list()).find(({ tags }) => tags.includes(this.id));
    await library.put({ id, manifest, config, addedAtMs: clock.now() }, [this.id]);
    if (before && before.id !== id) await inherit(before.id, id);
  }

  #fail(thrown: unknown, signal: AbortSignal): void {
    if (signal.aborted) return this.#set({ status: 'paused' });
    const error = toApiError(thrown);
    if (error.code === 'digest_mismatch') this.#received.clear();
    this.#set({ status: 'failed', error });
  }

  #set(state: PullState): void {
    this.#state = state;
    this.changed.notify();
  }
}

/** A manifest may name one blob twice; it is fetched and counted once. */
function uniqueLayers(layers: readonly Descriptor[]): readonly PullLayer[] {
  const byDigest = new Map(layers.map((layer) => [layer.digest, layer]));
  return [...byDigest.values()].map(({ digest, mediaType, size }) => ({
    digest,
    mediaType,
    sizeBytes: size,
  }));
}
