/** A package as it is put together: from files or a folder of this machine, or from a stored model. */
import { ApiError } from '#lib/core/errors.ts';
import { canonicalReference, parseReference } from '#lib/model/reference.ts';
import type { PackagePlan } from './model-work.ts';
import type { MlcFolder } from './package-draft-folder.ts';
import { suggestName } from './suggest-name.ts';

export type PackageField = 'target' | 'weights' | 'folder' | 'from' | 'context_size';

type Source = 'files' | 'folder' | 'model';

export interface PackageDraftOptions {
  readonly files?: readonly File[];
  readonly folder?: MlcFolder;
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
  #folder = $state.raw<MlcFolder>();
  #chatTemplate = $state.raw<File>();
  #projector = $state.raw<File>();
  #licenses = $state.raw<readonly File[]>([]);

  constructor({ files, folder, from }: PackageDraftOptions = {}) {
    if (from !== undefined) {
      this.source = 'model';
      this.from = from;
    }
    if (files) this.takeWeights(files);
    if (folder) this.takeFolder(folder);
  }

  /** In the order of their names, which is the order of shards. */
  get weights(): readonly File[] {
    return this.#weights;
  }

  /** Of an MLC model. */
  get folder(): MlcFolder | undefined {
    return this.#folder;
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
    this.#suggestInsteadOf(suggested);
  }

  /** Makes it the source; suggests a name too, unless one was typed. */
  takeFolder(folder: MlcFolder): void {
    const suggested = this.#suggestion;
    this.source = 'folder';
    this.#folder = folder;
    this.#suggestInsteadOf(suggested);
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
    if (this.source === 'folder') return { target, format: 'docker', ...this.#folderParts() };
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
    if (this.source === 'folder') return this.#folder && suggestName(this.#folder.name.replace(/-mlc$/i, ''));
    const [first] = this.#weights;
    return first && suggestName(first.name);
  }

  #suggestInsteadOf(suggested: string | undefined): void {
    if (this.target === '' || this.target === suggested) this.target = this.#suggestion ?? '';
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

  #folderParts(): Pick<PackagePlan, 'files' | 'libraryFrom'> {
    if (!this.#folder)
      throw new ApiError('invalid_request', 'Choose the folder of the model.', { param: 'folder' });
    const { files, library } = this.#folder;
    if (library.kind === 'own') return { files };
    if (library.kind === 'listed') return { files, libraryFrom: library.reference };
    throw new ApiError('unsupported_model_format', noLibrary(this.#folder), { param: 'folder' });
  }

  #part(name: 'chatTemplate' | 'projector', file: File | undefined): Partial<PackagePlan> {
    if (file) return { [name]: file };
    return this.source === 'model' && this.leftOut[name] ? { [name]: null } : {};
  }
}

function noLibrary({ name }: MlcFolder): string {
  return `The folder has no compiled library (.wasm) for WebLLM here, and WebLLM’s list has no model called “${name}”. Put the library into the folder, or call the folder as its model is called there.`;
}
