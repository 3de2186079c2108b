/** OCI registries (distribution specification): Docker Hub, self-hosted ones, and this site's own. */
import type { Clock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { maxConfigBytes } from '#lib/model/config.ts';
import type { Descriptor, Manifest } from '#lib/model/manifest.ts';
import type { Reference } from '#lib/model/reference.ts';
import { fetchPart, readAtMost } from '#lib/registry/http.ts';
import type {
  ByteRange,
  LayerBody,
  PushableModel,
  PushOptions,
  Registry,
  ResolvedModel,
  ResolveOptions,
} from '#lib/registry/port.ts';
import { fetchManifest } from './manifests.ts';
import { pushModel } from './push.ts';
import { registryName, type Asked } from './status.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface OciRegistryOptions extends TransportOptions {
  /** 0 to 1; spreads the waits between the attempts of a push. */
  readonly random?: (() => number) | undefined;
}

export class OciRegistry implements Registry {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(options: OciRegistryOptions) {
    this.#transport = new Transport(options);
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
  }

  async resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel> {
    const asked: Asked = { reference, purpose: 'pull', credentials: options.credentials };
    const { id, manifest, bytes } = await fetchManifest(this.#transport, {
      ...asked,
      signal: options.signal,
    });
    const configBytes = await this.#fetchConfig(manifest, asked, options.signal);
    return {
      reference,
      id,
      manifest,
      manifestBytes: bytes,
      configBytes,
      fetchLayer: (layer, range, signal) => this.#fetchLayer(layer, range, { ...asked, signal }),
    };
  }

  push(reference: Reference, model: PushableModel, options: PushOptions): Promise<void> {
    return pushModel(model, {
      ...options,
      transport: this.#transport,
      clock: this.#clock,
      random: this.#random,
      asked: { reference, purpose: 'push', credentials: options.credentials },
    });
  }

  async #fetchConfig(
    manifest: Manifest,
    asked: Asked,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { digest, size } = manifest.config;
    if (size > maxConfigBytes) throw configTooLarge();
    const path = `blobs/${digest}`;
    const bytes = await this.#transport.send({ ...asked, path, signal }, (response) =>
      readAtMost(response, maxConfigBytes, configTooLarge),
    );
    if ((await sha256(bytes)) === digest) return bytes;
    throw new ApiError(
      'digest_mismatch',
      'The model’s config does not match its checksum. It was thrown away; try again, or ask who runs the registry.',
    );
  }

  #fetchLayer(
    layer: Descriptor,
    range: ByteRange,
    options: Asked & { signal: AbortSignal },
  ): Promise<LayerBody> {
    const server = registryName(options.reference.registry);
    const path = `blobs/${layer.digest}`;
    return fetchPart(range, server, (headers, read) => {
      const accepts = headers.range === undefined ? [200] : [200, 206, 416];
      return this.#transport.send({ ...options, path, headers, accepts }, read);
    });
  }
}

function configTooLarge(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The model's config is larger than ${maxConfigBytes / 1024 / 1024} MiB, which no model's is. Check the name and the tag.`,
  );
}
