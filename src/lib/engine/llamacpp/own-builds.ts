/**
 * Sampan's own builds of llama.cpp for the CPU, which are several times as fast as the package's. They are fetched when
 * first needed, used only if they are what the manifest says, and left aside for the session after any failure.
 */
import * as v from 'valibot';
import { sha256, type Digest } from '#lib/core/digest.ts';
import { Signal } from '#lib/core/observable.ts';
import { cpuBuilds, type ComputeJson, type CpuBuild } from '#lib/model/wire.ts';
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
  /** What a person pinned; the fastest that there is when absent. */
  readonly wish?: () => 'auto' | CpuBuild;
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
  readonly #wish: () => 'auto' | CpuBuild;
  readonly #refused = new Set<Digest>();
  readonly #fetched = new Map<string, Promise<Omit<OwnBuild, 'words'> | undefined>>();
  #listed: Promise<readonly Listed[] | undefined> | undefined;
  #whyFailed: string | undefined;

  constructor(options: OwnBuildsOptions) {
    this.#options = options;
    this.#has = options.has ?? hasWasmFeature;
    this.#wish = options.wish ?? (() => 'auto');
  }

  /** Of the one that computes, without fetching it; `undefined` where that is none of ours. */
  async words(): Promise<string | undefined> {
    const chosen = await this.#choose();
    return chosen && wordsOf(chosen, this.#wish());
  }

  /** All builds that a person may pin, the package's among them. */
  async choices(): Promise<ComputeJson['wasm_builds']> {
    const listed = (await this.#list()) ?? [];
    return cpuBuilds.map((build) => {
      const reason =
        build === 'package' ? undefined : this.#obstacleTo(listed.find(({ name }) => name === build));
      return reason === undefined ? { build, available: true } : { build, available: false, reason };
    });
  }

  /** `undefined` where there is none for this browser, wish and model, or it failed before. Never rejects. */
  async take(model: Digest): Promise<OwnBuild | undefined> {
    if (this.#refused.has(model)) return undefined;
    const chosen = await this.#choose();
    if (!chosen) return undefined;
    let fetched = this.#fetched.get(chosen.name);
    if (!fetched) {
      fetched = this.#fetch(chosen).catch((thrown: unknown) => this.giveUp(thrown));
      this.#fetched.set(chosen.name, fetched);
    }
    const build = await fetched;
    return build && { ...build, words: wordsOf(chosen, this.#wish()) };
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
    if (this.#whyFailed !== undefined) return;
    this.#whyFailed = whyOf(reason);
    this.#options.onFailure(
      `Models run on the package’s build of llama.cpp instead of Sampan’s: ${this.#whyFailed}`,
    );
    this.changed.notify();
  }

  /** A pinned one that is not there counts as none pinned. */
  async #choose(): Promise<Listed | undefined> {
    const wish = this.#wish();
    if (wish === 'package') return undefined;
    const there = (await this.#list())?.filter((each) => this.#obstacleTo(each) === undefined);
    return there?.find(({ name }) => name === wish) ?? there?.[0];
  }

  /** `undefined` where it can be used. */
  #obstacleTo(build: Listed | undefined): string | undefined {
    if (this.#whyFailed !== undefined) return this.#whyFailed;
    if (!build) return 'this version of the app does not have it';
    const lacking = build.features.find((name) => !isWasmFeature(name) || !this.#has(name));
    return lacking && `the browser has no ${featureWords[lacking] ?? lacking}`;
  }

  #list(): Promise<readonly Listed[] | undefined> {
    this.#listed ??= this.#read().catch((thrown: unknown) => this.giveUp(thrown));
    return this.#listed;
  }

  async #read(): Promise<readonly Listed[]> {
    const { manifestUrl } = this.#options;
    if (manifestUrl === undefined) return [];
    const bytes = await this.#bytes(manifestUrl, 'manifest.json');
    return v.parse(manifest, JSON.parse(new TextDecoder().decode(bytes))).builds;
  }

  async #fetch(listed: Listed): Promise<Omit<OwnBuild, 'words'>> {
    const [js, wasm] = await Promise.all([this.#checked(listed.js), this.#checked(listed.wasm)]);
    if (!WebAssembly.validate(wasm))
      throw new Error(`${listed.wasm.path} is not WebAssembly for this browser`);
    return {
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

function wordsOf({ name, features }: Listed, wish: string): string {
  const [words = name] = features.flatMap((feature) => featureWords[feature] ?? []);
  return wish === name ? `${words}, pinned` : words;
}

function whyOf(reason: unknown): string {
  if (reason instanceof v.ValiError || reason instanceof SyntaxError) return 'its manifest is damaged';
  return reason instanceof Error ? reason.message : String(reason);
}

function isWasmFeature(name: string): name is WasmFeature {
  return (wasmFeatures as readonly string[]).includes(name);
}
