/** Brings a model from a tar into the store: Docker Model Runner's export, or an OCI layout as skopeo writes it. */
import type { Clock } from '#lib/core/clock.ts';
import { isDigest, sha256, type Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { maxConfigBytes } from '#lib/model/config.ts';
import { maxManifestBytes, parseManifest, type Manifest } from '#lib/model/manifest.ts';
import type { ArchiveSource } from '#lib/model/tar/source.ts';
import { readTarIndex, type TarEntry } from '#lib/model/tar/tar-index.ts';
import { ingest } from '#lib/store/ingest.ts';
import type { BlobStore, IndexedModel } from '#lib/store/port.ts';
import { unpackLayer } from '#lib/runner/pulls/unpack.ts';
import type { Library } from './library.ts';
import type { Pins } from './pins.ts';

type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

export interface ImportPorts {
  readonly library: Library;
  readonly store: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  /** Removes those blobs that nothing needs. */
  readonly drop: (digests: readonly Digest[]) => Promise<void>;
}

export interface ImportOptions {
  readonly signal: AbortSignal;
  /** Canonical references that name the model from then on. */
  readonly tags: readonly string[];
  readonly onProgress: (digest: Digest, receivedBytes: number, sizeBytes: number) => void;
}

/** Throws what the archive's damage is; then nothing of it stays in the store. `archive` is taken over. */
export async function importArchive(
  archive: ArchiveSource,
  ports: ImportPorts,
  options: ImportOptions,
): Promise<IndexedModel> {
  const run = new Import(ports, options);
  try {
    const read = (offset: number, lengthBytes: number) => archive.read(offset, lengthBytes);
    for await (const entry of readTarIndex(read, archive.sizeBytes)) {
      options.signal.throwIfAborted();
      await run.take(entry, archive.body(entry.offset, entry.sizeBytes));
    }
    return await run.record();
  } finally {
    // A stream that failed has nothing left to cancel.
    await archive.cancel().catch(() => undefined);
    await run.close();
  }
}

class Import {
  readonly #ports: ImportPorts;
  readonly #options: ImportOptions;
  readonly #releases: (() => void)[] = [];
  readonly #taken: Digest[] = [];
  #manifestBytes: Uint8Array<ArrayBuffer> | undefined;
  #indexBytes: Uint8Array<ArrayBuffer> | undefined;

  constructor(ports: ImportPorts, options: ImportOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async take(entry: TarEntry, bytes: ByteStream): Promise<void> {
    const { type, path, sizeBytes } = entry;
    if (type !== 'file') return;
    if (path === 'manifest.json') this.#manifestBytes = await readSmall(entry, bytes);
    else if (path === 'index.json') this.#indexBytes = await readSmall(entry, bytes);
    else {
      const digest = digestOfPath(path);
      if (digest) await this.#takeBlob(digest, sizeBytes, bytes);
    }
  }

  async record(): Promise<IndexedModel> {
    const { library, clock } = this.#ports;
    const manifestBytes = this.#manifestBytes ?? (await this.#manifestOfLayout());
    const document = parseManifest(manifestBytes);
    if (document.kind === 'index') throw notAModel('its manifest is an index');
    const id = await sha256(manifestBytes);
    const config = await this.#configOf(document.manifest);
    const model = { id, manifest: manifestBytes, config, addedAtMs: clock.now() };
    await this.#complete(model);
    await library.put(model, this.#options.tags);
    return library.get(id);
  }

  async close(): Promise<void> {
    for (const release of this.#releases) release();
    // The config's blob lives in the index, and of an archive that failed nothing is needed.
    await this.#ports.drop(this.#taken);
  }

  async #takeBlob(digest: Digest, sizeBytes: number, bytes: ByteStream): Promise<void> {
    this.#hold(digest);
    const { signal, onProgress } = this.#options;
    onProgress(digest, 0, sizeBytes);
    await ingest(this.#ports.store, digest, sizeBytes, bytes, {
      signal,
      onProgress: (receivedBytes) => onProgress(digest, receivedBytes, sizeBytes),
    });
    onProgress(digest, sizeBytes, sizeBytes);
  }

  #hold(digest: Digest): void {
    this.#taken.push(digest);
    this.#releases.push(this.#ports.pins.hold([digest]));
  }

  /** A model is listed only when all its files are there. */
  async #complete(model: Omit<IndexedModel, 'tags'>): Promise<void> {
    const { library, store, pins } = this.#ports;
    const { artifact, manifest, digests } = library.partsOf(model);
    this.#releases.push(pins.hold(digests));
    for (const { digest } of manifest.layers) {
      if (!(await store.open(digest))) throw notAModel(`the file ${digest.slice(0, 19)} is not in it`);
    }
    for (const { descriptor, unpacked } of artifact.layers) {
      if (unpacked) await unpackLayer(descriptor.digest, unpacked, { store, signal: this.#options.signal });
    }
  }

  async #configOf(manifest: Manifest): Promise<Uint8Array<ArrayBuffer>> {
    const blob = await this.#ports.store.open(manifest.config.digest);
    if (!blob) throw notAModel('its config is not in it');
    if (blob.size > maxConfigBytes) throw notAModel('its config is too large');
    return new Uint8Array(await blob.arrayBuffer());
  }

  /** An OCI image layout names its one manifest in `index.json`. */
  async #manifestOfLayout(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#indexBytes) throw notAModel('it has no manifest.json');
    const document = parseManifest(this.#indexBytes);
    const [only, ...others] = document.kind === 'index' ? document.index.manifests : [];
    if (!only || others.length > 0) throw notAModel('its index does not name exactly one model');
    const blob = await this.#ports.store.open(only.digest);
    if (!blob || blob.size > maxManifestBytes) throw notAModel('its manifest is missing or too large');
    return new Uint8Array(await blob.arrayBuffer());
  }
}

async function readSmall({ path, sizeBytes }: TarEntry, bytes: ByteStream): Promise<Uint8Array<ArrayBuffer>> {
  if (sizeBytes > maxManifestBytes) throw notAModel(`${path} in it is too large`);
  return new Uint8Array(await new Response(bytes).arrayBuffer());
}

function digestOfPath(path: string): Digest | undefined {
  const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? [];
  const digest = `sha256:${hex}`;
  return isDigest(digest) ? digest : undefined;
}

function notAModel(why: string): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `This archive holds no whole model: ${why}. Export it again with “docker model” or from Sampan.`,
  );
}
