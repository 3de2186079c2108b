/** The compiled libraries of MLC models that come without their own: WebLLM's list says where each is. */
import type { Clock } from '#lib/core/clock.ts';
import { sha256 } from '#lib/core/digest.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { MlcListEntry } from '#lib/model/mlc-list.ts';
import { readAtMost, retryAdvice, unreachable, withDeadline, type Fetch } from '#lib/registry/http.ts';
import type { SmallFile } from './small-files.ts';

export type MlcList = () => Promise<readonly MlcListEntry[]>;

export interface MlcLibrariesOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly list: MlcList;
}

const mebibyte = 2 ** 20;
/** The largest of the list are a third of it. */
const maxBytes = 16 * mebibyte;
const deadlineMs = 60_000;
const wasmMagic = [0x00, 0x61, 0x73, 0x6d];

export class MlcLibraries {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #list: MlcList;

  constructor({ fetch, clock, list }: MlcLibrariesOptions) {
    // Called as a method of another object, the browser's fetch throws “Illegal invocation”.
    this.#fetch = (input, init) => fetch(input, init);
    this.#clock = clock;
    this.#list = list;
  }

  /** What the list has for a repository, which the Hub finds in any case. */
  async listed(repository: string): Promise<readonly MlcListEntry[]> {
    const wanted = repository.toLowerCase();
    return (await this.#list()).filter((entry) => entry.repository.toLowerCase() === wanted);
  }

  /** Throws `registry_unreachable`, `rate_limited`, `model_not_found`, `unsupported_model_format`. */
  async download({ libraryUrl }: MlcListEntry, signal: AbortSignal | undefined): Promise<SmallFile> {
    const url = new URL(libraryUrl);
    const server = `${url.host} (where the library of this model is)`;
    const bytes = await withDeadline({ clock: this.#clock, delayMs: deadlineMs, server, signal }, (limited) =>
      this.#read(url, limited),
    );
    if (!wasmMagic.every((byte, at) => bytes[at] === byte)) {
      throw unreachable(`${url.host} sent something else than the library of this model. Try again later.`);
    }
    return {
      path: url.pathname.slice(url.pathname.lastIndexOf('/') + 1),
      digest: await sha256(bytes),
      bytes,
    };
  }

  /** Nobody's token goes along: the server is not the Hub. */
  async #read(url: URL, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#fetch(url, {
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal,
    });
    if (response.status === 200) return readAtMost(response, maxBytes, () => tooLarge(url));
    void response.body?.cancel();
    throw refusal(response, url);
  }
}

function refusal(response: Response, { host }: URL): ApiError {
  const { status } = response;
  if (status === 404) {
    const message = `The library of this model is no longer on ${host}. Update Sampan, or choose another model.`;
    return new ApiError('model_not_found', message);
  }
  if (status === 429) {
    const message = `${host} sends no more files for now, and the library of this model is there. ${retryAdvice(response)}`;
    return new ApiError('rate_limited', message);
  }
  return unreachable(
    `${host} answered with an error (HTTP ${status}) instead of the library of this model. ${retryAdvice(response)}`,
  );
}

function tooLarge({ host }: URL): ApiError {
  return new ApiError(
    'unsupported_model_format',
    `The library of this model on ${host} is larger than ${maxBytes / mebibyte} MiB, which no library is. Choose another model.`,
  );
}
