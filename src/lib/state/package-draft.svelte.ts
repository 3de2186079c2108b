/** A package as it is put together: from files of this machine or from a stored model. */
import { ApiError } from '#lib/core/errors.ts';
import { canonicalReference, parseReference } from '#lib/model/reference.ts';
import type { PackagePlan } from './model-work.ts';
import { suggestName } from './suggest-name.ts';

export type PackageField = 'target' | 'weights' | 'from' | 'context_size';

type Source = 'files' | 'model';

export interface PackageDraftOptions {
  readonly files?: readonly File[];
  /** A stored model to begin with. */
  readonly from?: string;
}

export class PackageDraft {
  source = $state<Source>('files');
  from = $state('');
  target = $state('');
  format = $state<PackagePlan['format']>('docker');
  contextSize = $state('');
  /** Leaves out the template or the projector of the stored model. */
  readonly leftOut = $state({ chatTemplate: false, projector: false });
  #weights = $state.raw<readonly File[]>([]);
  #chatTemplate = $state.raw<File>();
  #projector = $state.raw<File>();
  #licenses = $state.raw<readonly File[]>([]);

  constructor({ files, from }: PackageDraftOptions = {}) {
    if (from !== undefined) {
      this.source = 'model';
      this.from = from;
    }
    if (files) this.takeWeights(files);
  }

  /** In the order of their names, which is the order of shards. */
  get weights(): readonly File[] {
    return this.#weights;
  }

  get chatTemplate(): File | undefined {
    return this.#chatTemplate;
  }

  get projector(): File | undefined {
    return this.#projector;
  }

  get licenses(): readonly File[] {
    return this.#licenses;
  }

  /** Suggests a name too, unless one was typed. */
  takeWeights(files: readonly File[]): void {
    const suggested = this.#suggestion;
    this.#weights = [...files].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    if (this.target === '' || this.target === suggested) this.target = this.#suggestion ?? '';
  }

  takeChatTemplate(file: File | undefined): void {
    this.#chatTemplate = file;
  }

  takeProjector(file: File | undefined): void {
    this.#projector = file;
  }

  takeLicenses(files: readonly File[]): void {
    this.#licenses = files;
  }

  /** Throws an `ApiError` whose `param` is the `PackageField` that is at fault. */
  plan(): PackagePlan {
    const target = this.#checkedTarget();
    const contextSize = this.#checkedContextSize();
    return {
      target,
      format: this.format,
      ...this.#base(),
      ...this.#part('chatTemplate', this.#chatTemplate),
      ...this.#part('projector', this.#projector),
      ...(this.#licenses.length > 0 && { licenses: this.#licenses }),
      ...(contextSize !== undefined && { contextSize }),
    };
  }

  get #suggestion(): string | undefined {
    const [first] = this.#weights;
    return first && suggestName(first.name);
  }

  #checkedTarget(): string {
    try {
      return canonicalReference(parseReference(this.target));
    } catch (cause) {
      const message = cause instanceof ApiError ? cause.message : 'Type a name such as “local/mine:v1”.';
      throw new ApiError('invalid_reference', message, { param: 'target', cause });
    }
  }

  #checkedContextSize(): number | undefined {
    // ModelPack has no place for it.
    if (this.format !== 'docker' || this.contextSize.trim() === '') return undefined;
    const size = Number(this.contextSize.replace(/[,\s]/g, ''));
    if (Number.isSafeInteger(size) && size > 0) return size;
    throw new ApiError('invalid_request', 'The context size is a whole number of tokens.', {
      param: 'context_size',
    });
  }

  #base(): Pick<PackagePlan, 'from' | 'weights'> {
    if (this.source === 'model') {
      if (this.from !== '') return { from: this.from };
      throw new ApiError('invalid_request', 'Choose the model to begin with.', { param: 'from' });
    }
    if (this.#weights.length > 0) return { weights: this.#weights };
    throw new ApiError('invalid_request', 'Choose the GGUF file; several when it is in parts.', {
      param: 'weights',
    });
  }

  #part(name: 'chatTemplate' | 'projector', file: File | undefined): Partial<PackagePlan> {
    if (file) return { [name]: file };
    return this.source === 'model' && this.leftOut[name] ? { [name]: null } : {};
  }
}
