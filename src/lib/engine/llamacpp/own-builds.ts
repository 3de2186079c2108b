/**
 * Sampan's own builds of llama.cpp for the CPU, which are several times as fast as the package's. They are fetched when
 * first needed, used only if they are what the manifest says, and left aside for the session after any failure.
 */
import * as v from 'valibot';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { Signal } from '#lib/core/observable.ts';
import { hasWasmFeature, wasmFeatures, type WasmFeature } from './wasm-features.ts';

/** Ready to be loaded. */
export interface OwnBuild {
  /** For people: "relaxed SIMD". */
  readonly words: string;
  /** The text of its script. */
  readonly code: string;
  /** Lives as long as this thread: wllama's worker fetches it at every load. */
  readonly wasmUrl: string;
}

export interface OwnBuildsOptions {
  /** Absolute; the files lie beside it. There are none without it. */
  readonly manifestUrl: string | undefined;
  readonly fetch: typeof fetch;
  readonly has?: (feature: WasmFeature) => boolean;
  /** One line for the log. */
  readonly onFailure: (line: string) => void;
}

const file = v.object({
  path: v.pipe(v.string(), v.regex(/^[\w-]+\.(js|wasm)$/)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});
const build = v.object({ name: v.string(), features: v.array(v.string()), js: file, wasm: file });
const manifest = v.object({ builds: v.array(build) });

type File = v.InferOutput<typeof file>;
type Listed = v.InferOutput<typeof build>;

export class OwnBuilds {
  readonly changed = new Signal();
  readonly #options: OwnBuildsOptions;
  readonly #has: (feature: WasmFeature) => boolean;
  readonly #refused = new Set<Digest>();
  #listed: Promise<Listed | undefined> | undefined;
  #build: Promise<OwnBuild | undefined> | undefined;
  #failed = false;

  constructor(options: OwnBuildsOptions) {
    this.#options = options;
    this.#has = options.has ?? hasWasmFeature;
  }

  /** Of the one that this browser runs, without fetching it; `undefined` where there is none. */
  async words(): Promise<string | undefined> {
    const listed = await this.#find();
    return listed && !this.#failed ? wordsOf(listed) : undefined;
  }

  /** `undefined` where there is none for this browser and model, or it failed before. Never rejects. */
  async take(model: Digest): Promise<OwnBuild | undefined> {
    if (this.#failed || this.#refused.has(model)) return undefined;
    this.#build ??= this.#fetch().catch((thrown: unknown) => this.giveUp(thrown));
    return this.#build;
  }

  /** It works, but not with this model. */
  leaveAside(model: Digest, { message }: Error): void {
    if (this.#refused.has(model)) return;
    this.#refused.add(model);
    this.#options.onFailure(
      `A model runs on the package’s build of llama.cpp instead of Sampan’s: ${message}`,
    );
  }

  /** It does not work here. */
  giveUp(reason: unknown): undefined {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.onFailure(
      `Models run on the package’s build of llama.cpp instead of Sampan’s: ${whyOf(reason)}`,
    );
    this.changed.notify();
  }

  #find(): Promise<Listed | undefined> {
    this.#listed ??= this.#read().catch((thrown: unknown) => this.giveUp(thrown));
    return this.#listed;
  }

  async #read(): Promise<Listed | undefined> {
    const { manifestUrl } = this.#options;
    if (manifestUrl === undefined) return undefined;
    const bytes = await this.#bytes(manifestUrl, 'manifest.json');
    const { builds } = v.parse(manifest, JSON.parse(new TextDecoder().decode(bytes)));
    return builds.find(({ features }) => features.every((name) => isWasmFeature(name) && this.#has(name)));
  }

  async #fetch(): Promise<OwnBuild | undefined> {
    const listed = await this.#find();
    if (!listed) return undefined;
    const [js, wasm] = await Promise.all([this.#checked(listed.js), this.#checked(listed.wasm)]);
    if (!WebAssembly.validate(wasm))
      throw new Error(`${listed.wasm.path} is not WebAssembly for this browser`);
    return {
      words: wordsOf(listed),
      code: new TextDecoder().decode(js),
      wasmUrl: URL.createObjectURL(new Blob([wasm], { type: 'application/wasm' })),
    };
  }

  async #checked({ path, sha256: expected }: File): Promise<Uint8Array<ArrayBuffer>> {
    // The digest makes the address one of this very content, as caches want it.
    const bytes = await this.#bytes(
      new URL(`${path}?sha256=${expected}`, this.#options.manifestUrl).href,
      path,
    );
    if ((await sha256(bytes)) !== `sha256:${expected}`)
      throw new Error(`${path} is not what the manifest says`);
    return bytes;
  }

  async #bytes(url: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#options.fetch(url).catch((cause: unknown) => {
      throw new Error(`${name} could not be fetched`, { cause });
    });
    if (!response.ok) throw new Error(`${name} could not be fetched: HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

const featureWords: Readonly<Partial<Record<string, string>>> = {
  'relaxed-simd': 'relaxed SIMD',
  simd: 'SIMD',
};

function wordsOf({ features }: Listed): string {
  return features.flatMap((name) => featureWords[name] ?? []).join(', ');
}

function whyOf(reason: unknown): string {
  if (reason instanceof v.ValiError || reason instanceof SyntaxError) return 'its manifest is damaged';
  return reason instanceof Error ? reason.message : String(reason);
}

function isWasmFeature(name: string): name is WasmFeature {
  return (wasmFeatures as readonly string[]).includes(name);
}
