/** Chooses where to ask for a model by the registry in its reference. */
import type { Reference } from '#lib/model/reference.ts';
import type { Registry, ResolvedModel, ResolveOptions } from './port.ts';

export interface RegistriesOptions {
  /** Everything that is not Hugging Face. */
  readonly oci: Registry;
  readonly huggingFace: Registry;
}

export class Registries implements Registry {
  readonly #oci: Registry;
  readonly #huggingFace: Registry;

  constructor(options: RegistriesOptions) {
    this.#oci = options.oci;
    this.#huggingFace = options.huggingFace;
  }

  resolve(reference: Reference, options: ResolveOptions): Promise<ResolvedModel> {
    const registry = reference.registry === 'huggingface.co' ? this.#huggingFace : this.#oci;
    return registry.resolve(reference, options);
  }
}
