/** wllama on a build with 32-bit addresses: the package's or our own. */
import { Wllama, type WllamaConfig } from '@wllama/wllama';

interface CompatBuild {
  /** The text of its script. */
  readonly code: string;
  readonly wasmUrl: string;
}

/** The package takes this build only where the browser has no JSPI, though it is the faster one on any CPU. */
export class CompatWllama extends Wllama {
  readonly #build: CompatBuild;

  constructor(build: CompatBuild, config: WllamaConfig) {
    super({ default: build.wasmUrl }, config);
    this.#build = build;
    this.setCompat(null);
  }

  override getWorkerResources(): ReturnType<Wllama['getWorkerResources']> {
    const { code, wasmUrl } = this.#build;
    return { wasmPath: wasmUrl, jsPath: { code }, compat: true };
  }
}
