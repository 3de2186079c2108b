/** What a stored model can do and what memory it takes, read from the headers of its files; read once for each model. */
import type { Digest } from '#lib/core/digest.ts';
import { toApiError } from '#lib/core/errors.ts';
import type { LoadConfig } from '#lib/engine/port.ts';
import { ggufCapabilities, mlcCapabilities, type Capabilities } from '#lib/model/capabilities.ts';
import { ggufFiles, modelFiles, type ModelFile } from '#lib/model/files.ts';
import { ggufMemory, type MemoryNeed } from '#lib/model/fit/gguf-memory.ts';
import { layerKeys } from '#lib/model/fit/hyperparameters.ts';
import { mlcMemory } from '#lib/model/fit/mlc-memory.ts';
import { parseMlcSizes } from '#lib/model/fit/mlc-sizes.ts';
import { readGgufArrays } from '#lib/model/gguf-arrays.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { parseMlcConfig } from '#lib/model/mlc.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';

export interface Insight {
  readonly capabilities: Capabilities;
  /** With a config; never less than the weights. */
  readonly memory: (config: LoadConfig) => MemoryNeed;
}

/** Of a model whose files say nothing: it may be asked for anything, and the engine answers or refuses. */
export const anyCapability: Capabilities = {
  chat: true,
  tools: true,
  vision: true,
  audio: true,
  embedding: true,
  rerank: true,
  reasoning: true,
  fim: true,
};

const kept = 64;

export class ModelInsights {
  readonly #library: Pick<Library, 'partsOf' | 'blob'>;
  readonly #known = new Map<Digest, Promise<Insight | undefined>>();

  constructor(library: Pick<Library, 'partsOf' | 'blob'>) {
    this.#library = library;
  }

  /** `undefined` for what cannot be read: the engine then judges it. */
  of(model: IndexedModel): Promise<Insight | undefined> {
    const known = this.#known.get(model.id);
    if (known) return known;
    const read = this.#read(model).catch((thrown: unknown) => {
      // A file that is missing now may be there after a repair.
      this.#known.delete(model.id);
      if (unreadable.has(toApiError(thrown).code)) return undefined;
      throw thrown;
    });
    this.#known.set(model.id, read);
    const [oldest] = this.#known.keys();
    if (this.#known.size > kept && oldest !== undefined) this.#known.delete(oldest);
    return read;
  }

  async #read(model: IndexedModel): Promise<Insight | undefined> {
    const { artifact } = this.#library.partsOf(model);
    const files = await modelFiles(artifact, (digest) => this.#library.blob(digest));
    const config = files.find(({ path }) => nameOf(path) === 'mlc-chat-config.json');
    return config ? readMlc(config, files) : readGguf(files);
  }
}

const tokensKey = 'tokenizer.ggml.tokens';

const unreadable: ReadonlySet<string> = new Set(['unsupported_model_format', 'digest_mismatch']);

async function readGguf(files: readonly ModelFile[]): Promise<Insight | undefined> {
  const weights = ggufFiles(files);
  const [first] = weights;
  if (!first) return undefined;
  const header = await parseGgufHeader(first.blob);
  const architecture = header.metadata.get('general.architecture');
  const keys = layerKeys(typeof architecture === 'string' ? architecture : '');
  const arrays = await readGgufArrays(first.blob, header, new Set([...keys, tokensKey]));
  const tokens = arrays.get(tokensKey)?.items.filter((item) => typeof item === 'string');
  // The vocabulary is not kept with what every estimate reads.
  const layers = [...arrays].filter(([key]) => key !== tokensKey);
  const metadata = new Map([...header.metadata, ...layers]);
  const projector = files.find(({ role }) => role === 'projector');
  const projectorHeader = projector && (await parseGgufHeader(projector.blob)).metadata;
  const template = await files.find(({ role }) => role === 'template')?.blob.text();
  const weightsBytes = sizeOf(weights) + (projector?.blob.size ?? 0);
  return {
    capabilities: ggufCapabilities(metadata, { projector: projectorHeader, template, tokens }),
    memory: (config) => ggufMemory(metadata, { ...config, weightsBytes }),
  };
}

async function readMlc(config: ModelFile, files: readonly ModelFile[]): Promise<Insight> {
  const bytes = new Uint8Array(await config.blob.arrayBuffer());
  const sizes = parseMlcSizes(JSON.parse(new TextDecoder().decode(bytes)));
  const weightsBytes = sizeOf(files.filter(({ role }) => role === 'weights'));
  const bare = { weightsBytes, cacheBytes: 0, computeBytes: 0, totalBytes: weightsBytes };
  return {
    capabilities: mlcCapabilities(parseMlcConfig(bytes), await mlcTemplate(files)),
    memory: ({ contextSize, prefillChunk }) =>
      sizes ? mlcMemory(sizes, { contextSize, prefillChunk, weightsBytes }) : bare,
  };
}

/** Where an MLC folder keeps it: the artifact's own, a file, or inside the tokenizer's config. */
async function mlcTemplate(files: readonly ModelFile[]): Promise<string | undefined> {
  const own = files.find(({ role, path }) => role === 'template' || nameOf(path) === 'chat_template.jinja');
  if (own) return own.blob.text();
  const tokenizer = files.find(({ path }) => nameOf(path) === 'tokenizer_config.json');
  if (!tokenizer) return undefined;
  const parsed: unknown = JSON.parse(await tokenizer.blob.text());
  if (typeof parsed !== 'object' || parsed === null || !('chat_template' in parsed)) return undefined;
  return typeof parsed.chat_template === 'string' ? parsed.chat_template : undefined;
}

function sizeOf(files: readonly ModelFile[]): number {
  return files.reduce((sum, { blob }) => sum + blob.size, 0);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
