/** Tokenizers of stored models, from the vocabulary in their files: exact, and without loading the model. */
import type { Digest } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import { ggufFiles, modelFiles } from '#lib/model/files.ts';
import { readGgufArrays } from '#lib/model/gguf-arrays.ts';
import { parseGgufHeader } from '#lib/model/gguf.ts';
import { tokenizerOfJson } from '#lib/model/tokenizer/tokenizer-json.ts';
import { tokenizerOf, type Tokenizer } from '#lib/model/tokenizer/tokenizer.ts';
import { vocabularyKeys } from '#lib/model/tokenizer/vocabulary.ts';
import type { IndexedModel } from '#lib/store/port.ts';
import type { Library } from './library.ts';

/** A vocabulary takes some 20 MB. */
const kept = 2;

export class Tokenizers {
  readonly #library: Pick<Library, 'partsOf' | 'blob'>;
  /** The latest last. */
  readonly #known = new Map<Digest, Promise<Tokenizer>>();

  constructor(library: Pick<Library, 'partsOf' | 'blob'>) {
    this.#library = library;
  }

  /** Throws `not_supported` for a vocabulary that is not known here to the last token. */
  of(model: IndexedModel): Promise<Tokenizer> {
    const { id } = model;
    const tokenizer = this.#known.get(id) ?? this.#read(model);
    this.#known.delete(id);
    this.#known.set(id, tokenizer);
    const [oldest] = this.#known.keys();
    if (this.#known.size > kept && oldest !== undefined) this.#known.delete(oldest);
    tokenizer.catch(() => this.#known.delete(id));
    return tokenizer;
  }

  async #read(model: IndexedModel): Promise<Tokenizer> {
    const { artifact } = this.#library.partsOf(model);
    const files = await modelFiles(artifact, (digest) => this.#library.blob(digest));
    const json = files.find(({ path }) => path === 'tokenizer.json');
    if (json) return tokenizerOfJson(await json.blob.text());
    const [weights] = ggufFiles(files);
    return (weights && (await ofGguf(weights.blob))) ?? unknown();
  }
}

async function ofGguf(blob: Blob): Promise<Tokenizer | undefined> {
  const header = await parseGgufHeader(blob);
  return tokenizerOf(new Map([...header.metadata, ...(await readGgufArrays(blob, header, vocabularyKeys))]));
}

function unknown(): never {
  throw new ApiError(
    'not_supported',
    'The vocabulary of this model is of a kind that is not read here. The usage of an answer tells its tokens.',
  );
}
