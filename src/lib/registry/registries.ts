/** Chooses where to ask for a model by the registry in its reference. */
import type { Reference } from '#lib/model/reference.ts';
import type { PushableModel, PushOptions, Registry, ResolvedModel, ResolveOptions } from './port.ts';

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
    return this.#of(reference).resolve(reference, options);
  }

  push(reference: Reference, model: PushableModel, options: PushOptions): Promise<void> {
    return this.#of(reference).push(reference, model, options);
  }

  #of({ registry }: Reference): Registry {
    return registry === 'huggingface.co' ? this.#huggingFace : this.#oci;
  }
}
