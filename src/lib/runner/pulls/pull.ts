/** One model on its way into the store: what state it is in, and the run that moves it. */
import type { Clock } from '#lib/core/clock.ts';
import type { Digest } from '#lib/core/digest.ts';
import { toApiError, type ApiError } from '#lib/core/errors.ts';
import { Signal } from '#lib/core/observable.ts';
import { judgeArtifact } from '#lib/model/artifact.ts';
import type { Descriptor } from '#lib/model/manifest.ts';
import { canonicalReference, type Reference } from '#lib/model/reference.ts';
import type { PullJson } from '#lib/model/wire.ts';
import type { Credentials, Registry, ResolvedModel } from '#lib/registry/port.ts';
import type { BlobStore, ModelIndex } from '#lib/store/port.ts';
import { downloadLayer } from './download.ts';
import { Speed } from './speed.ts';

export interface PullPorts {
  readonly registry: Registry;
  readonly store: BlobStore;
  readonly index: ModelIndex;
  readonly clock: Clock;
  readonly random: () => number;
}

type PullState =
  | { readonly status: 'queued' | 'resolving' | 'pulling' | 'checking' | 'retrying' | 'paused' }
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
  #credentials: Credentials | undefined;

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

  get active(): boolean {
    return !['paused', 'failed', 'done'].includes(this.#state.status);
  }

  receivedBytesOf(layer: PullLayer): number {
    return this.#received.get(layer.digest) ?? 0;
  }

  /** What an earlier session knew, so that a paused pull shows its size before it is resumed. */
  restore(layers: readonly PullLayer[], received: ReadonlyMap<Digest, number>): void {
    this.#layers = layers;
    for (const [digest, bytes] of received) this.#received.set(digest, bytes);
  }

  /** Waits its turn; `start` begins. */
  enqueue(credentials?: Credentials): void {
    this.#credentials = credentials ?? this.#credentials;
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

  toJson(): PullJson {
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
    };
  }

  async #pull(signal: AbortSignal): Promise<void> {
    this.#speed.reset();
    this.#set({ status: 'resolving' });
    const { registry } = this.#ports;
    const model = await registry.resolve(this.reference, { credentials: this.#credentials, signal });
    // Said before a byte of weights is fetched.
    judgeArtifact(model.manifest, model.configBytes);
    this.#layers = uniqueLayers(model.manifest.layers);
    const cached = await this.#isStored(model);
    if (!cached) for (const layer of this.#layers) await this.#download(model, layer, signal);
    await this.#record(model);
    this.#set({ status: 'done', modelId: model.id, cached });
  }

  async #download(model: ResolvedModel, layer: PullLayer, signal: AbortSignal): Promise<void> {
    this.#set({ status: 'pulling' });
    const { store, clock, random } = this.#ports;
    const descriptor: Descriptor = {
      digest: layer.digest,
      mediaType: layer.mediaType,
      size: layer.sizeBytes,
    };
    await downloadLayer(model, descriptor, {
      store,
      clock,
      random,
      signal,
      onProgress: (receivedBytes) => this.#advance(layer, receivedBytes),
      onRetry: () => this.#set({ status: 'retrying' }),
      onVerify: () => this.#set({ status: 'checking' }),
    });
  }

  #advance(layer: PullLayer, receivedBytes: number): void {
    this.#received.set(layer.digest, receivedBytes);
    this.#speed.mark(this.#layers.reduce((sum, each) => sum + this.receivedBytesOf(each), 0));
    this.#set({ status: 'pulling' });
  }

  async #isStored(model: ResolvedModel): Promise<boolean> {
    const { index, store } = this.#ports;
    if (!(await index.get(model.id))) return false;
    const blobs = await Promise.all(this.#layers.map((layer) => store.open(layer.digest)));
    return blobs.every((blob) => blob !== undefined);
  }

  async #record(model: ResolvedModel): Promise<void> {
    const { index, clock } = this.#ports;
    const { id, manifestBytes: manifest, configBytes: config } = model;
    await index.put({ id, manifest, config, addedAtMs: clock.now() }, this.id);
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
